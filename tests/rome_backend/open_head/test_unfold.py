# SPDX-License-Identifier: Apache-2.0
"""Tests of unfolding a flat mesh.

Does not know hair.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F64
from rome_backend.open_head.unfold import unfolded

SIDE = 9


@pytest.fixture
def sheet() -> tuple[F64, np.ndarray, np.ndarray]:
    """A square of (SIDE, SIDE) points 1 cm apart, its faces and its edge."""
    x, y = np.meshgrid(np.arange(SIDE) * 0.01, np.arange(SIDE) * 0.01)
    points = np.column_stack([x.ravel(), y.ravel()])
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    faces = np.concatenate([np.stack(f, axis=-1).reshape(-1, 3) for f in ((a, b, c), (b, d, c))])
    edge = np.unique(np.r_[number[0], number[-1], number[:, 0], number[:, -1]])
    return points, faces, edge


def turned(points: F64, faces: np.ndarray) -> int:
    a, b = (points[faces[:, k]] - points[faces[:, 0]] for k in (1, 2))
    return int((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] <= 0).sum())


def test_what_is_flat_stays_as_it_is(sheet: tuple[F64, np.ndarray, np.ndarray]) -> None:
    points, faces, edge = sheet
    laid = points @ np.array([[3.0, 0.4], [0.0, 0.5]])
    np.testing.assert_array_equal(unfolded(laid, points, faces, edge), laid)


@pytest.mark.parametrize("seed", range(5))
def test_points_that_crossed_others_go_back(
    sheet: tuple[F64, np.ndarray, np.ndarray], seed: int
) -> None:
    points, faces, edge = sheet
    inner = np.setdiff1d(np.arange(len(points)), edge)
    thrown = np.random.default_rng(seed).choice(inner, 6, replace=False)
    laid = points.copy()
    laid[thrown] += 0.018 * np.array([np.cos(seed), np.sin(seed)])
    assert turned(laid, faces) > 3
    mended = unfolded(laid, points, faces, edge)
    assert turned(mended, faces) == 0
    moved = np.linalg.norm(mended - laid, axis=1)
    assert moved[edge].max() < moved[thrown].max()
    assert (moved < 1e-12).sum() > len(points) / 3


def test_a_mirrored_mesh_is_measured_by_its_own_turning(
    sheet: tuple[F64, np.ndarray, np.ndarray],
) -> None:
    points, faces, edge = sheet
    laid = points.copy()
    laid[SIDE * 4 + 4] += [0.025, 0.0]
    image = unfolded(laid * [-1, 1], points * [-1, 1], faces, edge) * [-1, 1]
    np.testing.assert_allclose(image, unfolded(laid, points, faces, edge), atol=1e-12)


def test_without_faces_nothing_moves() -> None:
    points = np.zeros((3, 2))
    none = np.zeros((0, 3), int)
    np.testing.assert_array_equal(unfolded(points, points, none, none[:, 0]), points)
