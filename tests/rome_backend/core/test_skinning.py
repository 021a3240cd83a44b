# SPDX-License-Identifier: Apache-2.0
"""Tests of core/skinning.py: parity with FLAME, properties, and torch against numpy.

Does not know any head model but FLAME's reduced file and the small head.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import (
    joint_transforms,
    pose_features,
    posed_vertices,
    regress_joints,
    shape_vertices,
    skin,
)
from rome_backend.core.types import FlameParams, HeadModel


@pytest.fixture(scope="module")
def flame(data_dir: Path) -> SimpleNamespace:
    """FLAME 2023 Open's arrays under our names; the last 20 shapes stand for expressions."""
    arrays = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    return SimpleNamespace(
        template=arrays["v_template"],
        shape_dirs=arrays["shapedirs"][:, :, :40],
        expression_dirs=arrays["shapedirs"][:, :, 40:],
        pose_dirs=arrays["posedirs"],
        weights=arrays["weights"],
        joint_regressor=arrays["J_regressor"],
        parents=arrays["parents"],
    )


@pytest.fixture(scope="module")
def params(small_head: HeadModel) -> FlameParams:
    """Random parameters of the small head."""
    rng = np.random.default_rng(3)
    return FlameParams(
        shape=rng.normal(size=6),
        expression=rng.uniform(0, 1, 5),
        rotation=rng.normal(size=3) * 0.3,
        neck=rng.normal(size=3) * 0.3,
        jaw=np.array([0.3, 0.05, 0.0]),
        eyes=rng.normal(size=(2, 3)) * 0.2,
        translation=rng.normal(size=3) * 0.1,
    )


@pytest.mark.parametrize("xp", [np, torch], ids=["numpy", "torch"])
def test_parity_flame_batch(parity_dir: Path, flame: SimpleNamespace, xp: object) -> None:
    fixture = np.load(parity_dir / "flame.npz")
    as_given = torch.tensor if xp is torch else np.asarray
    betas, pose = as_given(fixture["betas"]), as_given(fixture["pose"])
    vertices = shape_vertices(flame, betas[:, :40], betas[:, 40:], xp)
    rotations = rotation_matrices(pose, xp)
    joints = regress_joints(flame, vertices, xp)
    posed = skin(vertices, joints, rotations, flame, xp)
    _, places = joint_transforms(joints, rotations, flame.parents, xp)
    assert np.abs(np.asarray(posed) - fixture["vertices"]).max() < 1e-6
    assert np.abs(np.asarray(places) - fixture["joints"]).max() < 1e-6


def test_parity_flame_whole_chain(parity_dir: Path, flame: SimpleNamespace) -> None:
    fixture = np.load(parity_dir / "flame.npz")
    for betas, pose, expected in zip(
        fixture["betas"], fixture["pose"], fixture["vertices"], strict=True
    ):
        frame = FlameParams(betas[:40], betas[40:], pose[0], pose[1], pose[2], pose[3:])
        posed = posed_vertices(flame, frame, joints_from="expressed")
        assert posed.dtype == np.float64
        assert np.abs(posed - expected).max() < 1e-6


def test_parity_needs_joints_from_the_expressed_shape(
    parity_dir: Path, flame: SimpleNamespace
) -> None:
    fixture = np.load(parity_dir / "flame.npz")
    betas, pose = fixture["betas"][3], fixture["pose"][3]
    frame = FlameParams(betas[:40], betas[40:], pose[0], pose[1], pose[2], pose[3:])
    neutral = posed_vertices(flame, frame, joints_from="neutral")
    assert np.abs(neutral - fixture["vertices"][3]).max() > 1e-5


def test_rest_is_the_template(small_head: HeadModel) -> None:
    rest = FlameParams(np.zeros(6), np.zeros(5))
    assert np.allclose(posed_vertices(small_head, rest), small_head.template, atol=1e-9)


def test_root_rotation_and_translation_are_rigid(
    small_head: HeadModel, params: FlameParams
) -> None:
    still = replace(params, rotation=np.zeros(3), translation=np.zeros(3))
    moved = posed_vertices(small_head, params)
    centre = regress_joints(small_head, shape_vertices(small_head, params.shape))[0]
    turn = rotation_matrices(params.rotation)
    expected = (posed_vertices(small_head, still) - centre) @ turn.T + centre + params.translation
    assert np.allclose(moved, expected, atol=1e-12)


def test_an_eye_turns_about_its_centre_and_alone(small_head: HeadModel) -> None:
    head = replace(small_head, pose_dirs=np.zeros_like(small_head.pose_dirs))
    params = FlameParams(np.zeros(6), np.zeros(5), eyes=np.array([[0, 0.4, 0], [0, 0, 0.0]]))
    moved = posed_vertices(head, params) - head.template
    eye = head.regions["left_eyeball"]
    assert np.abs(moved[~eye]).max() < 1e-9
    assert np.abs(moved[eye]).max() > 1e-3
    assert np.allclose(moved[eye].mean(0), 0, atol=1e-8)


def test_pose_features_are_r_minus_i_row_by_row() -> None:
    rotations = np.stack([np.eye(3) * 5, np.arange(9.0).reshape(3, 3), np.eye(3)])
    expected = np.concatenate([np.arange(9.0) - np.eye(3).ravel(), np.zeros(9)])
    assert np.array_equal(pose_features(rotations), expected)


def test_pose_correctives_follow_their_feature(small_head: HeadModel) -> None:
    """With all weight on the root, only the correctives of the jaw's rotation are left."""
    weights = np.zeros_like(small_head.weights)
    weights[:, 0] = 1
    head = replace(small_head, weights=weights)
    jaw = np.array([0.2, 0.1, -0.1])
    moved = posed_vertices(head, FlameParams(np.zeros(6), np.zeros(5), jaw=jaw))
    feature = (rotation_matrices(jaw) - np.eye(3)).ravel()
    expected = head.template + head.pose_dirs[:, :, 9:18].astype(float) @ feature
    assert np.allclose(moved, expected, atol=1e-9)


def test_joints_are_an_argument_of_skin(small_head: HeadModel) -> None:
    rotations = rotation_matrices(np.array([[0, 0, 0], [0, 0, 0], [0.3, 0, 0], [0] * 3, [0] * 3]))
    joints = regress_joints(small_head, small_head.template)
    near = skin(small_head.template, joints, rotations, small_head)
    moved = joints + np.array([[0, 0, 0], [0, 0, 0], [0, 0.01, 0], [0] * 3, [0] * 3])
    assert np.abs(skin(small_head.template, moved, rotations, small_head) - near).max() > 1e-4


def test_neutral_joints_do_not_follow_the_expression(
    small_head: HeadModel, params: FlameParams
) -> None:
    """Expressed joints move with the expression, neutral ones not; offsets move neither."""
    lifted = small_head.expression_dirs.copy()
    lifted[:, 1, :] += 0.01
    head = replace(small_head, expression_dirs=lifted)
    one = replace(params, expression=np.eye(5)[0])
    neutral = posed_vertices(head, one, joints_from="neutral")
    expressed = posed_vertices(head, one, joints_from="expressed")
    assert np.abs(neutral - expressed).max() > 1e-4
    offsets = head.expression_dirs[:, :, 0]
    plain = replace(params, expression=np.zeros(5))
    assert np.allclose(posed_vertices(head, plain, offsets=offsets), neutral, atol=1e-12)


def test_fewer_coefficients_count_as_zero_and_more_are_an_error(small_head: HeadModel) -> None:
    some = shape_vertices(small_head, np.array([1.0, -1.0]))
    assert np.array_equal(some, shape_vertices(small_head, np.array([1.0, -1.0, 0, 0, 0, 0])))
    with pytest.raises(ValueError, match="7 coefficients"):
        shape_vertices(small_head, np.zeros(7))


def test_unknown_joint_source_is_an_error(small_head: HeadModel, params: FlameParams) -> None:
    with pytest.raises(ValueError, match="joints_from"):
        posed_vertices(small_head, params, joints_from="expresed")  # type: ignore[arg-type]


def _chain(head: HeadModel, numbers: list, xp: object) -> object:
    shape, expression, pose, translation = numbers
    vertices = shape_vertices(head, shape, expression, xp)
    joints = regress_joints(head, shape_vertices(head, shape, xp=xp), xp)
    return skin(vertices, joints, rotation_matrices(pose, xp), head, xp, translation)


def test_torch_agrees_with_numpy_in_batches(small_head: HeadModel) -> None:
    rng = np.random.default_rng(4)
    sizes = ((2, 3, 6), (2, 3, 5), (2, 3, 5, 3), (2, 3, 3))
    numbers = [rng.normal(size=size) * 0.3 for size in sizes]
    oracle = _chain(small_head, numbers, np)
    double = _chain(small_head, [torch.tensor(n) for n in numbers], torch)
    single = _chain(small_head, [torch.tensor(n, dtype=torch.float32) for n in numbers], torch)
    assert oracle.shape == (2, 3, 94, 3) and single.dtype == torch.float32
    assert np.abs(double.numpy() - oracle).max() < 1e-14
    assert np.abs(single.numpy() - oracle).max() < 1e-6
    one = _chain(small_head, [n[1, 2] for n in numbers], np)
    assert np.allclose(one, oracle[1, 2], atol=1e-14)


def test_torch_gradients_are_finite_differences_of_numpy(small_head: HeadModel) -> None:
    rng = np.random.default_rng(5)
    numbers = [rng.normal(size=size) * 0.3 for size in ((6,), (5,), (5, 3), (3,))]
    numbers[2][4] = 0  # at rest, where Rodrigues' formula divides zero by zero
    weight = rng.normal(size=(94, 3))
    leaves = [torch.tensor(n, requires_grad=True) for n in numbers]
    (_chain(small_head, leaves, torch) * torch.tensor(weight)).sum().backward()
    for which, leaf in enumerate(leaves):
        for place in np.ndindex(*leaf.shape):
            values = []
            for step in (1e-6, -1e-6):
                moved = [n.copy() for n in numbers]
                moved[which][place] += step
                values.append((_chain(small_head, moved, np) * weight).sum())
            slope = (values[0] - values[1]) / 2e-6
            assert abs(slope - float(leaf.grad[place])) < 1e-6 * max(1, abs(slope))
