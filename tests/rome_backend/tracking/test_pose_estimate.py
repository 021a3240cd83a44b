# SPDX-License-Identifier: Apache-2.0
"""Weak-perspective pose from correspondences. Does not know faces."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.tracking.pose_estimate import HeadPose, procrustes, view_from_pixels

POINTS = np.random.default_rng(0).normal(size=(30, 3)) * 0.05


def test_a_similarity_is_recovered_exactly() -> None:
    truth = HeadPose(1500.0, matrix_from_yaw_pitch_roll(40, -20, 70), np.array([3.0, -4.0, 5.0]))
    found = procrustes(POINTS, truth.to_view(POINTS), np.random.default_rng(1).uniform(0.1, 1, 30))
    assert found.scale == pytest.approx(1500.0)
    assert found.rotation == pytest.approx(truth.rotation, abs=1e-9)
    assert found.translation == pytest.approx(truth.translation, abs=1e-7)
    assert found.to_head(truth.to_view(POINTS)) == pytest.approx(POINTS)


def test_a_mirrored_cloud_still_gives_a_rotation() -> None:
    found = procrustes(POINTS, POINTS * np.array([-1.0, 1.0, 1.0]), np.ones(30))
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_points_without_weight_do_not_count() -> None:
    view = 100 * POINTS
    view[0] += 1e4
    weights = np.ones(30)
    weights[0] = 0.0
    found = procrustes(POINTS, view, weights)
    assert found.scale == pytest.approx(100.0)
    assert found.rotation == pytest.approx(np.eye(3), abs=1e-9)


def test_pixels_become_view_axes_and_steps_compose() -> None:
    assert view_from_pixels(np.array([[1.0, 2.0, 3.0]])).tolist() == [[1.0, -2.0, -3.0]]
    pose = HeadPose(10.0, np.eye(3), np.zeros(3))
    turned = pose.stepped(np.radians([0.0, 90.0, 0.0]), np.log(1.5), np.array([1.0, 0.0, 0.0]))
    assert turned.scale == pytest.approx(15.0)
    assert turned.rotation @ [0.0, 0.0, 1.0] == pytest.approx([1.0, 0.0, 0.0])
    assert turned.translation.tolist() == [10.0, 0.0, 0.0]


def test_a_near_camera_magnifies_what_is_nearer_and_back_again() -> None:
    turn = matrix_from_yaw_pitch_roll(40, -20, 70)
    pose = HeadPose(1500.0, turn, np.array([3.0, -4.0, 5.0]), 0.6)
    seen = pose.to_view(POINTS)
    view = POINTS @ turn.T
    near = 1 / (1 - view[:, 2] / 0.6)
    assert seen[:, 0] == pytest.approx(3 + 1500 * near * view[:, 0])
    assert seen[:, 2] == pytest.approx(5 + 1500 * view[:, 2])
    assert pose.to_head(seen) == pytest.approx(POINTS)
    assert pose.stepped(np.zeros(3), 0.1, np.ones(3)).distance == 0.6
