# SPDX-License-Identifier: Apache-2.0
"""The registration warp: follows landmarks, stays smooth, never folds, leaves the rest alone.

Does not test textures.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.camera import orbit, project
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.types import HeadModel
from rome_backend.texture.registration import registration_warp


def projected(head: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    camera = orbit(np.zeros(3), 1.0, 0, 0, 0.32, 512, 512)
    points = landmark_points(head.template.astype(float), head.faces, head.landmarks)
    return project(camera, points)[:, :2], project(camera, head.template)[:, :2]


def test_no_residual_gives_no_shift(egg: HeadModel) -> None:
    marks, _ = projected(egg)
    assert np.all(registration_warp(egg, marks, marks) == 0)


def test_a_common_shift_moves_the_face_and_not_the_back(egg: HeadModel) -> None:
    marks, _ = projected(egg)
    shift = registration_warp(egg, marks, marks + [6.0, -3.0])
    face = egg.template[:, 2] > 0.06
    assert np.abs(shift[face] - [6.0, -3.0]).max() < 0.8
    back = egg.template[:, 2] < -0.08
    assert np.abs(shift[back]).max() < 1.0


def test_landmarks_are_followed_closely_when_the_residual_is_smooth(egg: HeadModel) -> None:
    marks, _ = projected(egg)
    wanted = 5 * np.sin(marks / 60)
    shift = registration_warp(egg, marks, marks + wanted)
    corners = shift[egg.faces[egg.landmarks.faces]].mean(1)
    assert np.abs(corners - wanted).mean() < 0.1 * np.abs(wanted).mean()


def test_wild_residuals_do_not_fold_the_face(egg: HeadModel) -> None:
    marks, vertices = projected(egg)
    noise = np.random.default_rng(1).normal(0, 40, marks.shape)
    shift = registration_warp(egg, marks, marks + noise)
    a, b, c = (vertices[egg.faces[:, k]] for k in range(3))
    moved = vertices + shift
    d, e, f = (moved[egg.faces[:, k]] for k in range(3))
    front = egg.regions["face"][egg.faces].all(1)

    def area(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        u, v = q - p, r - p
        return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]

    before, after = area(a, b, c)[front], area(d, e, f)[front]
    assert (np.sign(before) != np.sign(after)).mean() < 0.02


def test_eyeballs_shift_as_one(small_head: HeadModel) -> None:
    marks, _ = projected(small_head)
    shift = registration_warp(small_head, marks, marks * 1.02 + [3, 1])
    for side in ("left_eyeball", "right_eyeball"):
        assert np.ptp(shift[small_head.regions[side]], axis=0).max() == 0
        assert np.linalg.norm(shift[small_head.regions[side]][0]) > 1


def test_a_wrong_number_of_landmarks_raises(egg: HeadModel) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        registration_warp(egg, np.zeros((3, 2)), np.zeros((3, 2)))
