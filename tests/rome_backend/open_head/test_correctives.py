# SPDX-License-Identifier: Apache-2.0
"""Tests of the pose correctives: how near skinning comes to turning along the arc.

Does not know faces.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rome_backend.core.skinning import pose_features
from rome_backend.open_head.correctives import (
    arc_positions,
    evened,
    jaw_poses,
    joint_weight,
    neck_poses,
    pose_dirs,
)
from rome_backend.open_head.expressions import ExpressiveFace, eye_turns
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.jaw_motion import JAW_OPEN_DEGREES, JawMotion

POSES = [
    (1, "Y", 35.0),
    (1, "Y", -40.0),
    (1, "X", 28.0),
    (1, "X", -28.0),
    (1, "Z", 22.0),
    (2, "X", 12.0),
    (2, "X", 27.0),
]


@pytest.fixture(scope="module")
def jaw(geometry: HeadGeometry) -> JawMotion:
    return ExpressiveFace(geometry).jaw()


@pytest.fixture(scope="module")
def directions(geometry: HeadGeometry, jaw: JawMotion) -> np.ndarray:
    dirs = pose_dirs(geometry, jaw, eye_turns(geometry))
    assert dirs.dtype == np.float32
    assert dirs.shape == (len(geometry.vertices), 3, 36)
    return dirs.astype(np.float64)


def blend_skinned(geometry: HeadGeometry, vertices: np.ndarray, joint: int, matrix: np.ndarray):
    weight = joint_weight(geometry, joint)[:, None]
    arm = vertices - geometry.joints[joint]
    return vertices * (1 - weight) + weight * (arm @ matrix.T + geometry.joints[joint])


@pytest.mark.parametrize(("joint", "axis", "degrees"), POSES)
def test_error_to_the_wanted_places_falls_tenfold(
    geometry: HeadGeometry,
    jaw: JawMotion,
    directions: np.ndarray,
    joint: int,
    axis: str,
    degrees: float,
) -> None:
    rotation = Rotation.from_euler(axis, degrees, degrees=True)
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[joint] = rotation.as_matrix()
    arm = geometry.vertices - geometry.joints[joint]
    weight = evened(joint_weight(geometry, joint))
    arc = arc_positions(arm, weight, rotation.as_rotvec())
    arc = (arc if joint == 1 else jaw.moved(rotation.as_rotvec())) + geometry.joints[joint]
    corrected = geometry.vertices + directions @ pose_features(matrices)
    plain = blend_skinned(geometry, geometry.vertices, joint, matrices[joint])
    better = blend_skinned(geometry, corrected, joint, matrices[joint])
    before = np.sqrt(np.mean((plain - arc) ** 2))
    after = np.sqrt(np.mean((better - arc) ** 2))
    assert before > 3e-5
    assert after < before / 10


def test_at_rest_nothing_moves(directions: np.ndarray) -> None:
    rest = pose_features(np.tile(np.eye(3), (5, 1, 1)))
    assert not (directions @ rest).any()


def test_eyeballs_follow_their_joints_alone(directions: np.ndarray, geometry: HeadGeometry) -> None:
    balls = geometry.regions["left_eyeball"] | geometry.regions["right_eyeball"]
    assert np.abs(directions[balls]).max() < 1e-6


def test_only_partly_weighted_vertices_are_corrected(
    geometry: HeadGeometry, directions: np.ndarray
) -> None:
    weight = joint_weight(geometry, 1)
    whole = (weight < 1e-9) | (weight > 1 - 1e-9)
    assert np.abs(directions[whole][:, :, :9]).max() < 1e-6
    assert np.abs(directions[~whole][:, :, :9]).max() > 1e-4


def test_an_opened_jaw_looks_like_jaw_open(
    geometry: HeadGeometry, jaw: JawMotion, directions: np.ndarray
) -> None:
    angle = np.radians(JAW_OPEN_DEGREES)
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[2] = Rotation.from_rotvec([angle, 0, 0]).as_matrix()
    corrected = geometry.vertices + directions @ pose_features(matrices)
    skinned = blend_skinned(geometry, corrected, 2, matrices[2])
    error = np.linalg.norm(skinned - geometry.vertices - jaw.opened(), axis=1)
    assert error.max() < 0.0005


def test_correctives_are_mirror_symmetric(geometry: HeadGeometry, directions: np.ndarray) -> None:
    """A pose and its mirror image give mirror-image corrections."""
    for vector in ([0.2, 0.4, 0.1], [0.1, -0.3, 0.2]):
        matrices = np.tile(np.eye(3), (2, 5, 1, 1))
        matrices[0, 1] = Rotation.from_rotvec(vector).as_matrix()
        matrices[1, 1] = Rotation.from_rotvec(np.multiply(vector, [1, -1, -1])).as_matrix()
        first, second = (directions @ pose_features(m) for m in matrices)
        np.testing.assert_allclose(second, first[geometry.mirror] * [-1, 1, 1], atol=2e-6)


def test_joint_weight_counts_descendants(geometry: HeadGeometry) -> None:
    head = joint_weight(geometry, 1)
    np.testing.assert_allclose(head, geometry.weights[:, 1:].sum(axis=1))
    np.testing.assert_allclose(joint_weight(geometry, 2), geometry.weights[:, 2])


def test_arc_keeps_the_radius() -> None:
    arm = np.array([[0.0, 0.1, 0.0], [0.0, 0.1, 0.0], [0.0, 0.1, 0.0]])
    turned = arc_positions(arm, np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.0, np.pi / 2]))
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 0.1)
    np.testing.assert_allclose(turned[2], [-0.1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(turned[1], [-0.1 / np.sqrt(2), 0.1 / np.sqrt(2), 0], atol=1e-12)


def test_training_poses_cover_the_limits() -> None:
    neck = np.degrees(np.abs(neck_poses()).max(axis=0))
    assert (neck >= [29, 39, 24]).all()
    assert np.degrees(np.linalg.norm(jaw_poses(), axis=1)).max() >= 30


def test_evened_weights_keep_their_ends_and_bend_less() -> None:
    place = np.linspace(0, 1, 101)
    step = place * place * (3 - 2 * place)
    even = evened(step)
    assert even[0] == pytest.approx(0, abs=1e-12) and even[-1] == pytest.approx(1)
    assert (np.diff(even) > 0).all()
    assert np.diff(even).max() < 0.8 * np.diff(step).max()
