# SPDX-License-Identifier: Apache-2.0
"""Weights and joints: they sum up, sit inside, and move what they should when posed.

Does not know the maths of skinning: rome_backend.core.skinning does it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import JOINTS, FlameParams, HeadModel
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.skinning_weights import (
    JAW_JOINT,
    NECK_JOINT,
    ROOT_JOINT,
    landmark_jaw_weights,
    neck_weights,
)


@pytest.fixture(scope="module")
def plain(head: HeadModel) -> HeadModel:
    """The head without pose correctives: what the weights alone do."""
    return replace(head, pose_dirs=np.zeros_like(head.pose_dirs))


def posed(head: HeadModel, **pose: np.ndarray) -> np.ndarray:
    params = FlameParams(
        shape=np.zeros(head.shape_dirs.shape[2]),
        expression=np.zeros(head.expression_dirs.shape[2]),
    )
    return posed_vertices(head, replace(params, **pose))


def test_rows_are_convex_combinations(geometry: HeadGeometry) -> None:
    for rows in (geometry.weights, geometry.joint_regressor):
        assert rows.min() >= 0
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-12)
    count = len(geometry.vertices)
    assert geometry.weights.shape == (count, 5)
    assert geometry.joint_regressor.shape == (5, count)


def test_joint_tree(geometry: HeadGeometry) -> None:
    names = {name: k for k, name in enumerate(JOINTS)}
    parents = [JOINTS[p] if p >= 0 else "" for p in geometry.parents]
    assert parents[names["root"]] == ""
    assert parents[names["neck"]] == "root"
    assert {parents[names[n]] for n in ("jaw", "left_eye", "right_eye")} == {"neck"}


def test_weights_are_symmetric(geometry: HeadGeometry) -> None:
    mirrored = geometry.weights[geometry.mirror][:, [0, 1, 2, 4, 3]]
    np.testing.assert_allclose(mirrored, geometry.weights, atol=1e-9)


def test_joints_sit_inside_the_head(geometry: HeadGeometry) -> None:
    root, neck, jaw, left, right = geometry.joints
    np.testing.assert_allclose([root[0], neck[0], jaw[0]], 0, atol=1e-9)
    np.testing.assert_allclose(left * (-1, 1, 1), right, atol=1e-12)
    np.testing.assert_allclose([root, neck, jaw], [ROOT_JOINT, NECK_JOINT, JAW_JOINT], atol=2e-4)
    assert root[1] < neck[1] < jaw[1] < left[1] + 0.01
    assert 0.03 < left[0] < 0.033
    tragus, chin = geometry.vertices[454], geometry.vertices[152]
    assert abs(jaw[1] - tragus[1]) < 0.02
    assert jaw[2] < chin[2] - 0.05
    neck_ring = geometry.skin_vertices[np.abs(geometry.skin_vertices[:, 1] - neck[1]) < 0.012]
    assert neck_ring[:, 2].min() < neck[2] < neck_ring[:, 2].max()


def test_joints_follow_identity(geometry: HeadGeometry) -> None:
    scaled = geometry.joint_regressor @ (geometry.vertices * 1.1 + (0.01, 0.02, 0.03))
    np.testing.assert_allclose(scaled, geometry.joints * 1.1 + (0.01, 0.02, 0.03), atol=1e-9)
    vertices_that_count = 1 / (geometry.joint_regressor**2).sum(axis=1)
    assert vertices_that_count.min() > 20  # no single vertex rules


def test_opening_the_jaw(plain: HeadModel) -> None:
    rest = plain.template.astype(float)
    moved = posed(plain, jaw=np.radians([20.0, 0, 0]))
    assert moved[13, 1] - moved[14, 1] > 0.02
    still = (rest[:, 1] > -0.01) | (rest[:, 2] < -0.075)
    assert np.abs(moved - rest)[still].max() < 2e-4
    assert rest[152, 1] - moved[152, 1] > 0.015
    assert np.abs(moved[[0, 2, 164]] - rest[[0, 2, 164]]).max() < 0.001


def test_mouth_bag_opens_with_the_lips(plain: HeadModel) -> None:
    rest, moved = plain.template, posed(plain, jaw=np.radians([20.0, 0, 0]))
    bag = plain.regions["mouth_inside"] & (np.abs(rest[:, 0]) < 0.008)
    lower = bag & (rest[:, 1] < (rest[13, 1] + rest[14, 1]) / 2 - 0.004)
    upper = bag & (rest[:, 1] > (rest[13, 1] + rest[14, 1]) / 2 + 0.004)
    assert (rest[lower, 1] - moved[lower, 1]).min() > 0.008
    assert np.abs(rest - moved)[upper].max() < 0.003


def test_jaw_sideways_is_the_mirror_image(plain: HeadModel, geometry: HeadGeometry) -> None:
    left = posed(plain, jaw=np.array([0.1, 0.15, 0.05]))
    right = posed(plain, jaw=np.array([0.1, -0.15, -0.05]))
    np.testing.assert_allclose(left[geometry.mirror] * (-1, 1, 1), right, atol=1e-6)


@pytest.mark.parametrize(("eye", "name"), [(0, "left_eyeball"), (1, "right_eyeball")])
def test_an_eye_moves_only_its_eyeball(plain: HeadModel, eye: int, name: str) -> None:
    eyes = np.zeros((2, 3))
    eyes[eye] = [0.1, 0.4, 0.0]
    away = np.abs(posed(plain, eyes=eyes) - plain.template).max(axis=1)
    assert away[~plain.regions[name]].max() < 1e-7
    pole = int(np.flatnonzero(plain.regions[name])[0])
    assert away[pole] > 0.003
    ball = posed(plain, eyes=eyes)[pole : pole + 546]
    centre = (plain.joint_regressor @ plain.template)[3 + eye]
    np.testing.assert_allclose(
        np.linalg.norm(ball - centre, axis=1),
        np.linalg.norm(plain.template[pole : pole + 546] - centre, axis=1),
        atol=1e-6,
    )


def test_neck_turns_the_whole_head_and_leaves_the_base(plain: HeadModel) -> None:
    turn = np.array([0.0, 0.5, 0.0])
    moved = posed(plain, neck=turn)
    neck = plain.joint_regressor[1] @ plain.template
    c, s = np.cos(0.5), np.sin(0.5)
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    expected = (plain.template - neck) @ rotation.T + neck
    rigid = plain.regions["face"] | plain.regions["ears"] | plain.regions["left_eyeball"]
    np.testing.assert_allclose(moved[rigid], expected[rigid], atol=1e-6)
    base = plain.template[:, 1] < -0.195
    assert base.sum() > 10
    np.testing.assert_allclose(moved[base], plain.template[base], atol=1e-6)


def test_neck_ramp_is_monotone() -> None:
    line = np.column_stack([np.zeros(50), np.linspace(-0.25, 0, 50), np.full(50, -0.06)])
    ramp = neck_weights(line)
    assert ramp[0] == 0
    assert ramp[-1] == 1
    assert (np.diff(ramp) >= 0).all()
    assert np.diff(ramp).max() < 0.12


def test_lips_weights_meet_in_the_corners(geometry: HeadGeometry) -> None:
    weight = landmark_jaw_weights(geometry.vertices)
    assert weight[14] == pytest.approx(1.0)
    assert weight[13] == pytest.approx(0.0)
    np.testing.assert_allclose(weight[[61, 291, 78, 308]], 0.42)
    assert weight[[10, 33, 263, 1]].max() == 0


def test_jaw_weights_bend_smoothly(geometry: HeadGeometry) -> None:
    """No edge of the cheeks carries a step of the jaw's weight; only lips may part."""
    jaw = geometry.weights[: geometry.skin_count, 2]
    outside = geometry.skin_region("face") & ~geometry.skin_region("lips")
    faces = geometry.skin_faces[outside[geometry.skin_faces].all(axis=1)]
    steps = np.abs(jaw[faces] - jaw[np.roll(faces, -1, axis=1)])
    lengths = np.linalg.norm(
        geometry.vertices[faces] - geometry.vertices[np.roll(faces, -1, axis=1)], axis=2
    )
    assert (steps / lengths).max() < 130  # per metre: the whole weight over 8 mm
