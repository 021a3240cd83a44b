# SPDX-License-Identifier: Apache-2.0
"""Tests of the authored displacement fields on the landmarks.

Does not know the mesh between the landmarks.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.expression_fields import (
    INNER_LIP_PAIRS,
    LandmarkFace,
    eye_look_lid_fields,
    landmark_fields,
    lid_gap,
    mouth_close_field,
)
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.landmark_sets import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_UPPER_LID


@pytest.fixture(scope="module")
def points(geometry: HeadGeometry) -> np.ndarray:
    return geometry.landmark_positions[:468]


@pytest.fixture(scope="module")
def fields(points: np.ndarray) -> dict[str, np.ndarray]:
    return landmark_fields(points)


def test_every_field_moves_something_and_nothing_far(fields: dict[str, np.ndarray]) -> None:
    for name, field in fields.items():
        largest = np.linalg.norm(field, axis=1).max()
        assert 0.0015 < largest < 0.015, name


def test_fields_scale_with_the_face(points: np.ndarray, fields: dict[str, np.ndarray]) -> None:
    larger = landmark_fields(1.3 * points)
    for name, field in fields.items():
        np.testing.assert_allclose(larger[name], 1.3 * field, atol=1e-9, err_msg=name)


def test_fields_do_not_depend_on_where_the_head_is(
    points: np.ndarray, fields: dict[str, np.ndarray]
) -> None:
    moved = landmark_fields(points + [0.0, 0.7, -0.2])
    for name, field in fields.items():
        np.testing.assert_allclose(moved[name], field, atol=1e-9, err_msg=name)


def test_sided_fields_act_on_the_subjects_left(
    points: np.ndarray, fields: dict[str, np.ndarray]
) -> None:
    sided = [name for name in fields if name.endswith("Left") and name != "mouthLeft"]
    assert len(sided) >= 13
    for name in sided:
        size = np.linalg.norm(fields[name], axis=1)
        assert (size @ points[:, 0]) / size.sum() > 0.012, name


def test_blink_brings_the_lids_together_and_wide_opens_them(
    points: np.ndarray, fields: dict[str, np.ndarray]
) -> None:
    gap = np.linalg.norm(lid_gap(points), axis=1)
    blink = np.linalg.norm(lid_gap(points + fields["eyeBlinkLeft"]), axis=1)
    wide = np.linalg.norm(lid_gap(points + fields["eyeWideLeft"]), axis=1)
    np.testing.assert_allclose(blink, 0, atol=1e-9)
    assert (wide > 1.3 * gap).all()
    assert np.abs(fields["eyeBlinkLeft"][list(RIGHT_UPPER_LID)]).max() == 0


def test_gaze_takes_the_upper_lid_along(points: np.ndarray) -> None:
    looks = eye_look_lid_fields(points)
    upper, lower = list(LEFT_UPPER_LID), list(LEFT_LOWER_LID)
    assert looks["eyeLookUpLeft"][upper, 1].min() > 0 > looks["eyeLookDownLeft"][upper, 1].max()
    assert looks["eyeLookDownLeft"][lower, 1].max() < 0
    assert looks["eyeLookInLeft"][upper, 0].max() < 0 < looks["eyeLookOutLeft"][upper, 0].min()


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign"),
    [
        ("mouthSmileLeft", 291, 1, 1),
        ("mouthSmileLeft", 291, 0, 1),
        ("mouthFrownLeft", 291, 1, -1),
        ("mouthStretchLeft", 291, 0, 1),
        ("mouthUpperUpLeft", 269, 1, 1),
        ("mouthLowerDownLeft", 405, 1, -1),
        ("mouthPucker", 291, 0, -1),
        ("mouthPucker", 0, 2, 1),
        ("mouthFunnel", 13, 1, 1),
        ("mouthFunnel", 14, 1, -1),
        ("mouthLeft", 0, 0, 1),
        ("mouthRollUpper", 0, 2, -1),
        ("mouthRollLower", 17, 2, -1),
        ("mouthShrugLower", 17, 1, 1),
        ("browDownLeft", 285, 1, -1),
        ("browInnerUp", 285, 1, 1),
        ("browOuterUpLeft", 300, 1, 1),
        ("cheekPuff", 425, 2, 1),
        ("cheekSquintLeft", 280, 1, 1),
        ("noseSneerLeft", 327, 1, 1),
    ],
)
def test_directions(
    fields: dict[str, np.ndarray], name: str, landmark: int, axis: int, sign: int
) -> None:
    assert sign * fields[name][landmark, axis] > 0.001


def test_lips_press_but_do_not_cross(points: np.ndarray, fields: dict[str, np.ndarray]) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    for name in ("mouthSmileLeft", "mouthPucker", "mouthLeft", "mouthDimpleLeft"):
        moved = points + fields[name]
        assert (moved[upper, 1] - moved[lower, 1]).min() > -0.001, name


def test_mouth_close_undoes_an_opening(points: np.ndarray) -> None:
    face = LandmarkFace(points)
    opened = np.zeros((468, 3))
    opened[:, 1] = -0.02 * face.lower
    moved = points + opened + mouth_close_field(points, opened)
    upper, lower = np.array(INNER_LIP_PAIRS).T
    gap_before = points[upper] - points[lower]
    np.testing.assert_allclose(moved[upper] - moved[lower], gap_before, atol=0.0008)
    assert mouth_close_field(points, opened)[152, 1] < 0.004  # the chin stays open
    assert not mouth_close_field(points, np.zeros((468, 3))).any()
