# SPDX-License-Identifier: Apache-2.0
"""Tests of core/landmarks.py: the table of facts, points on a mesh and the reprojection error.

Does not know any tracker.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.landmarks import (
    LANDMARKS_105,
    OUTER_EYE_CORNERS,
    interocular_distance,
    landmark_points,
    reprojection_percent_iod,
)
from rome_backend.core.types import HeadModel


def _observed() -> np.ndarray:
    observed = np.random.default_rng(0).uniform(0, 500, (478, 3))
    observed[33], observed[263] = (100, 200, 50), (180, 260, -50)  # 100 px apart in the picture
    return observed


def test_the_105_are_flame_s(data_dir: Path) -> None:
    flame = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    assert tuple(flame["mp_landmark_indices"].tolist()) == LANDMARKS_105
    assert set(OUTER_EYE_CORNERS) <= set(LANDMARKS_105) and max(LANDMARKS_105) < 468


def test_landmark_points_are_barycentric(small_head: HeadModel) -> None:
    points = landmark_points(small_head.template, small_head.faces, small_head.landmarks)
    table = small_head.landmarks
    one = small_head.template[small_head.faces[table.faces[7]]].T @ table.barycentric[7]
    assert points.shape == (105, 3) and np.allclose(points[7], one, atol=1e-8)


def test_landmark_points_follow_affine_maps(small_head: HeadModel) -> None:
    args = (small_head.faces, small_head.landmarks)
    points = landmark_points(small_head.template, *args)
    batch = np.stack([small_head.template * 2 + 1, small_head.template])
    assert np.allclose(landmark_points(batch, *args), np.stack([points * 2 + 1, points]), atol=1e-6)


def test_landmark_points_in_torch(small_head: HeadModel) -> None:
    given = torch.tensor(small_head.template, dtype=torch.float64, requires_grad=True)
    found = landmark_points(given, small_head.faces, small_head.landmarks, torch)
    oracle = landmark_points(small_head.template, small_head.faces, small_head.landmarks)
    assert np.abs(found.detach().numpy() - oracle).max() < 1e-15
    found.sum().backward()
    assert float(given.grad.sum()) == pytest.approx(3 * 105, rel=1e-6), "weights sum to 1"


def test_interocular_distance_ignores_depth() -> None:
    assert interocular_distance(_observed()) == pytest.approx(100)


def test_perfect_landmarks_have_no_error() -> None:
    observed = _observed()
    assert reprojection_percent_iod(observed[list(LANDMARKS_105)], observed) == 0
    assert reprojection_percent_iod(observed, observed) == 0


def test_error_is_a_percentage_of_the_eye_distance() -> None:
    observed = _observed()
    shifted = observed + [3.0, 4.0, 100.0]
    assert reprojection_percent_iod(shifted, observed) == pytest.approx(5)
    one_wrong = observed[list(LANDMARKS_105)]
    one_wrong[0] += [105.0, 0, 0]
    assert reprojection_percent_iod(one_wrong, observed) == pytest.approx(1)


def test_landmarks_outside_the_list_do_not_count() -> None:
    observed = _observed()
    moved = observed.copy()
    moved[470] += 50
    assert reprojection_percent_iod(moved, observed) == 0


def test_wrong_counts_and_coinciding_eyes_are_errors() -> None:
    observed = _observed()
    with pytest.raises(ValueError, match="104 points for 105"):
        reprojection_percent_iod(np.zeros((104, 2)), observed)
    with pytest.raises(ValueError, match="coincide"):
        reprojection_percent_iod(np.zeros((478, 2)), np.zeros((478, 2)))
