# SPDX-License-Identifier: Apache-2.0
"""Tests of keeping lids outside the eyeballs.

Does not know which expression moves them.
"""

from __future__ import annotations

import numpy as np

from rome_backend.open_head.eye_contact import (
    eye_radius,
    keep_off_eyes,
    line_sockets,
    near_eyes,
    onto_left_eye,
    penetration,
)
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.landmark_sets import LEFT_UPPER_LID


def lids_pushed_in(geometry: HeadGeometry, depth: float) -> np.ndarray:
    delta = np.zeros_like(geometry.vertices)
    lids = list(LEFT_UPPER_LID)
    away = geometry.vertices[lids] - geometry.joints[3]
    delta[lids] = -depth * away / np.linalg.norm(away, axis=1, keepdims=True)
    return delta


def test_radius_of_a_sphere_with_a_bump() -> None:
    random = np.random.default_rng(0)
    directions = random.normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    centre = np.array([1.0, 2.0, 3.0])
    radii = np.where(directions[:, 2] > 0.9, 1.1, 1.0)
    found = eye_radius(centre + directions * radii[:, None], centre, np.eye(3))
    np.testing.assert_allclose(found, [1.0, 1.0, 1.1])


def test_nothing_is_pushed_at_rest(geometry: HeadGeometry) -> None:
    assert not penetration(geometry, np.zeros_like(geometry.vertices)).any()
    assert not keep_off_eyes(geometry, np.zeros_like(geometry.vertices)).any()


def test_sunken_lids_are_pushed_out_radially(geometry: HeadGeometry) -> None:
    delta = lids_pushed_in(geometry, 0.002)
    push = penetration(geometry, delta)
    pushed = np.flatnonzero(np.linalg.norm(push, axis=1) > 1e-4)
    assert len(pushed) >= 3
    assert set(pushed) <= set(LEFT_UPPER_LID)
    out = (geometry.vertices + delta - geometry.joints[3])[pushed]
    cosine = np.sum(out * push[pushed], axis=1) / (
        np.linalg.norm(out, axis=1) * np.linalg.norm(push[pushed], axis=1)
    )
    np.testing.assert_allclose(cosine, 1, atol=1e-9)
    assert np.abs(penetration(geometry, delta + push)).max() < 1e-4


def test_linings_follow_the_lids_and_fade(geometry: HeadGeometry) -> None:
    delta = np.zeros_like(geometry.vertices)
    delta[geometry.regions["left_eye_region"] & geometry.regions["face"]] = [0, 0.003, 0]
    moved = line_sockets(geometry, delta)
    lining = geometry.regions["left_eye_region"] & ~geometry.regions["face"]
    assert moved[lining, 1].max() > 0.002
    assert moved[lining, 1].min() < 0.001
    np.testing.assert_array_equal(moved[~lining], delta[~lining])


def test_lids_that_stand_off_are_laid_on_the_eye(geometry: HeadGeometry) -> None:
    lids = np.array(LEFT_UPPER_LID)
    assert not onto_left_eye(geometry, np.zeros_like(geometry.vertices), lids).any()
    lifted = lids_pushed_in(geometry, -0.004)
    back = onto_left_eye(geometry, lifted, lids)
    assert 0.002 < np.linalg.norm(back, axis=1).max() <= 0.0041
    again = lifted.copy()
    again[lids] += back
    assert np.abs(onto_left_eye(geometry, again, lids)).max() < 3e-4


def test_what_moves_far_from_the_eyes_is_left_alone(geometry: HeadGeometry) -> None:
    delta = np.zeros_like(geometry.vertices)
    delta[152] = [0.0, -0.01, 0.0]
    np.testing.assert_array_equal(keep_off_eyes(geometry, delta), delta)
    near = near_eyes(geometry)
    assert near[386] and near[geometry.regions["right_eyeball"]].all() and not near[152]
