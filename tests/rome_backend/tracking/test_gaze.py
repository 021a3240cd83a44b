# SPDX-License-Identifier: Apache-2.0
"""Gaze from irises of synthetic eyes. Does not know photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll, rotation_matrices
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F64, FaceFit, FlameParams, HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.mean_face import mean_face
from rome_backend.tracking.gaze import (
    eye_radius,
    eye_rotations,
    iris_travel,
    lids_open,
    steady_gaze,
)

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


def test_irises_of_the_head_end_where_they_are_seen() -> None:
    head = open_head()
    travel = iris_travel(head)
    assert np.all(travel < eye_radius(head)) and np.all(travel > 0.5 * eye_radius(head))
    rows = {int(index): row for row, index in enumerate(head.landmarks.indices)}

    def offset(degrees: float) -> F64:
        still = np.zeros(head.shape_dirs.shape[2]), np.zeros(len(head.expression_names))
        params = FlameParams(*still, eyes=np.tile(np.radians([0.0, degrees, 0.0]), (2, 1)))
        points = landmark_points(posed_vertices(head, params), head.faces, head.landmarks)
        return points[rows[473]] - (points[rows[362]] + points[rows[263]]) / 2

    wanted = (offset(20.0) - offset(0.0))[0]
    face = mean_face()
    face[[468, 473], 0] += wanted
    eyes = eye_rotations(2000.0 * face, np.eye(3), 2000.0, mean_face(), travel, 1.0)
    turned = (offset(float(np.degrees(eyes[0, 1]))) - offset(0.0))[0]
    assert turned == pytest.approx(wanted, abs=0.0002)
    cautious = eye_rotations(2000.0 * face, np.eye(3), 2000.0, mean_face(), travel)
    assert cautious[0, 1] < eyes[0, 1]


def test_a_head_without_irises_has_its_radius(small_head: HeadModel) -> None:
    table = small_head.landmarks
    keep = table.indices < 468
    bare = replace(
        table, indices=table.indices[keep], faces=table.faces[keep],
        barycentric=table.barycentric[keep],
    )  # fmt: skip
    head = replace(small_head, landmarks=bare)
    assert iris_travel(head) == pytest.approx(eye_radius(head))


def looking(sideways: F64) -> list[FaceFit | None]:
    """One fit per frame that looks sideways by so many degrees; None where NaN."""
    fits: list[FaceFit | None] = []
    for angle in sideways:
        eyes = np.tile(np.radians([0.0, angle, 0.0]), (2, 1))
        params = FlameParams(shape=np.zeros(2), expression=np.zeros(3), eyes=eyes)
        fit = FaceFit(params, 1000.0, np.eye(3), np.zeros(2), 0.0, 0.0, 0.0, 0.0)
        fits.append(None if np.isnan(angle) else fit)
    return fits


def degrees(fits: list[FaceFit | None]) -> F64:
    return np.array([np.nan if f is None else np.degrees(f.params.eyes[0, 1]) for f in fits])


def test_trembling_falls_and_a_jump_stays_a_jump() -> None:
    truth = np.where(np.arange(120) < 60, -10.0, 12.0)
    seen = truth + np.random.default_rng(0).normal(scale=1.0, size=120)
    found = degrees(steady_gaze(looking(seen), [0.3] * 120, 30.0))
    assert np.std(found - truth) < 0.6 * np.std(seen - truth)
    assert abs(found[59] + 10) < 1.5 and abs(found[60] - 12) < 1.5


def test_shut_eyes_take_what_lies_around() -> None:
    seen = np.full(40, 5.0)
    seen[18:23] = -30.0
    opened = np.full(40, 0.3)
    opened[18:23] = 0.02
    assert degrees(steady_gaze(looking(seen), list(opened), 30.0)) == pytest.approx(5.0)
    alone = steady_gaze(looking(seen), [0.0] * 40, 30.0)
    assert degrees(alone) == pytest.approx(seen)  # nothing seen, nothing changed


def test_missing_frames_stay_missing_and_nothing_else_changes() -> None:
    seen = np.array([1.0, np.nan, 2.0])
    fits = looking(seen)
    found = steady_gaze(fits, [0.3, 0.0, 0.3], 25.0)
    assert found[1] is None
    assert found[0] is not None and fits[0] is not None
    assert np.array_equal(found[0].rotation, fits[0].rotation)
    assert steady_gaze([], [], 25.0) == []


def test_lids_of_the_mean_face_are_open_and_shut_when_they_meet() -> None:
    face = mean_face().astype(np.float32)
    assert 0.2 < lids_open(face) < 0.5
    face[[386, 159]] = face[[374, 145]]
    assert lids_open(face) < 0.02
    assert lids_open(3 * face) == pytest.approx(lids_open(face), abs=1e-6)
