# SPDX-License-Identifier: Apache-2.0
"""Tests of the lids' measures: known gaps, known depths."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.bench.lid_contact import LeftLids, left_lids, lid_gap_mm, off_eyeball_mm
from rome_backend.core.types import HeadModel
from rome_backend.open_head.landmark_sets import LEFT_LOWER_LID, LEFT_UPPER_LID


@pytest.fixture(scope="module")
def head(average_head: HeadModel) -> HeadModel:
    return average_head


@pytest.fixture(scope="module")
def lids(head: HeadModel) -> LeftLids:
    return left_lids(head)


def test_the_edge_is_a_loop_with_both_lids(lids: LeftLids) -> None:
    counts = np.bincount(lids.edges.ravel())
    assert set(counts[counts > 0]) == {2}
    assert set(LEFT_UPPER_LID[1:-1]) <= set(lids.edges[lids.upper].ravel())
    assert set(LEFT_LOWER_LID[1:-1]) <= set(lids.edges[~lids.upper].ravel())


def test_the_gap_at_rest_is_an_open_eye_and_flat_lids_have_none(
    head: HeadModel, lids: LeftLids
) -> None:
    points = head.template.astype(np.float64)
    assert 5 < lid_gap_mm(lids, points) < 15
    flat = points.copy()
    rim = np.unique(lids.edges)
    flat[rim, 1:] = points[rim, 1:].mean(axis=0)
    assert lid_gap_mm(lids, flat) < 0.5
    shifted = flat.copy()
    shifted[np.setdiff1d(lids.edges[lids.upper], lids.edges[~lids.upper]), 1] += 0.002
    assert lid_gap_mm(lids, shifted) == pytest.approx(2.0, abs=0.3)


def sphere(count: int) -> np.ndarray:
    random = np.random.default_rng(0)
    points = random.normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


@pytest.mark.parametrize("height", [0.0004, -0.0003])
def test_height_over_a_sphere(height: float) -> None:
    """A small triangle beyond a sphere of 12 mm: its middle is the nearest, below its corners."""
    ball, centre = 0.012 * sphere(20000), np.array([0.03, 0.02, 0.05])
    corners = np.array([[0.1, 0, 1], [-0.05, 0.08, 1], [-0.05, -0.08, 1]])
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    vertices = np.concatenate([(0.012 + height) * corners, ball]) + centre
    three = np.arange(3, dtype=np.int32)
    eye = LeftLids(
        edges=np.array([[0, 1], [1, 2]], np.int32),
        upper=np.array([True, False]),
        faces=three[None],
        ball=np.arange(3, len(vertices), dtype=np.int32),
    )
    nearest, farthest = off_eyeball_mm(eye, vertices, centre)
    assert farthest == pytest.approx(1000 * height, abs=0.01)
    assert 1000 * height - 0.12 < nearest < 1000 * height - 0.02
