# SPDX-License-Identifier: Apache-2.0
"""Gaze from irises of synthetic eyes. Does not know photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll, rotation_matrices
from rome_backend.core.types import F64, HeadModel
from rome_backend.open_head.mean_face import mean_face
from rome_backend.tracking.gaze import eye_radius, eye_rotations

RADIUS = 0.0118


def seen_face(gaze: F64, rotation: F64, scale: float = 2000.0) -> F64:
    """The mean face in view px with both irises turned by axis-angle ``gaze`` (3,)."""
    points = mean_face()
    shift = RADIUS * (rotation_matrices(gaze) @ [0, 0, 1] - np.array([0, 0, 1]))
    points[468:] += shift
    return scale * points @ rotation.T


@pytest.mark.parametrize("angles", [(0, 0, 0), (25, 5, 10), (-35, 0, -15)])
@pytest.mark.parametrize("gaze", [(0.0, 0.0), (-12.0, 0.0), (8.0, 20.0), (0.0, -15.0)])
def test_gaze_is_recovered(angles: tuple[float, ...], gaze: tuple[float, float]) -> None:
    rotation = matrix_from_yaw_pitch_roll(*angles)
    turn = np.radians([*gaze, 0.0])
    eyes = eye_rotations(seen_face(turn, rotation), rotation, 2000.0, mean_face(), RADIUS)
    assert np.array_equal(eyes[0], eyes[1])
    assert np.degrees(eyes[0]) == pytest.approx([*gaze, 0.0], abs=5.0)
    for got, wanted in zip(eyes[0], turn, strict=True):
        assert wanted == 0 or np.sign(got) == np.sign(wanted)


def test_impossible_irises_stay_within_what_eyes_can_do() -> None:
    view = seen_face(np.zeros(3), np.eye(3))
    view[468:, 0] += 500.0
    eyes = eye_rotations(view, np.eye(3), 2000.0, mean_face(), RADIUS)
    assert np.abs(np.degrees(eyes)).max() <= 35.0 + 1e-9


def test_profiles_and_missing_irises_give_no_gaze() -> None:
    side = matrix_from_yaw_pitch_roll(85, 0, 0)
    turned = eye_rotations(seen_face(np.zeros(3), side), side, 2000.0, mean_face(), RADIUS)
    assert not turned.any()
    view = seen_face(np.array([0, 0.2, 0]), np.eye(3))[:468]
    assert not eye_rotations(view, np.eye(3), 2000.0, mean_face(), RADIUS).any()


def test_radius_is_the_eyeballs_or_an_adults(small_head: HeadModel) -> None:
    assert eye_radius(replace(small_head, regions={})) == 0.012
    # joint and iris of the small head coincide but for the ring round the iris
    assert 0 < eye_radius(small_head) < 0.01
