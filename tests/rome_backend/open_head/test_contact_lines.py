# SPDX-License-Identifier: Apache-2.0
"""Tests of lips and lids as lines: found, brought together, kept together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rome_backend.open_head.contact_lines import samples_of
from rome_backend.open_head.expressions import ExpressiveFace
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.landmark_sets import (
    INNER_LIP_PAIRS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
)


@pytest.fixture(scope="module")
def face(geometry: HeadGeometry) -> ExpressiveFace:
    return ExpressiveFace(geometry)


def lowered_lips(face: ExpressiveFace, depth: float) -> np.ndarray:
    delta = np.zeros_like(face.geometry.skin_vertices)
    delta[face.lips_apart < -0.001, 1] = -depth
    return delta


def test_lines_run_through_the_landmarks(face: ExpressiveFace) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    assert set(upper) <= set(face.lips.line.vertices(face.lips.line.upper))
    assert set(lower) <= set(face.lips.line.vertices(face.lips.line.lower))
    lids = face.lids.line
    assert set(LEFT_UPPER_LID) <= set(lids.edges[lids.upper].ravel())
    assert set(LEFT_LOWER_LID) <= set(lids.edges[lids.lower].ravel())


def test_an_edge_is_a_closed_loop(face: ExpressiveFace) -> None:
    for closer in (face.lips, face.lids):
        counts = np.bincount(closer.line.edges.ravel())
        assert set(counts[counts > 0]) == {2}


def test_samples_lie_on_their_edges() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [1, 2, 0]])
    ends, share, places = samples_of(np.array([[0, 1], [1, 2]], np.int32), vertices)
    assert len(ends) == len(share) == len(places) == 18
    np.testing.assert_allclose(places[4], [0.5, 0, 0])
    np.testing.assert_allclose(places[-1], [1, 2, 0])


def test_parted_lips_are_kept_shut(face: ExpressiveFace) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    parted = lowered_lips(face, 0.006)
    shut = face.lips.keep_shut(parted)
    assert np.linalg.norm(parted[upper] - parted[lower], axis=1).max() > 0.005
    assert np.linalg.norm(shut[upper] - shut[lower], axis=1).max() < 5e-4
    assert -0.004 < shut[13, 1] < -0.002  # both went half of the way
    assert not face.lips.keep_shut(0 * parted).any()


def test_only_the_wanted_axes_are_put_right(face: ExpressiveFace) -> None:
    delta = lowered_lips(face, 0.004)
    delta[face.lips_apart < -0.001, 2] = -0.005
    shut = face.lips.keep_shut(delta, axes=(1.0, 1.0, 0.0))
    assert abs(shut[13, 1] - shut[14, 1]) < 5e-4
    assert shut[13, 2] - shut[14, 2] == pytest.approx(0.005, abs=1e-4)


@pytest.mark.parametrize("part", [0.9, 0.3])
def test_lids_meet_where_they_are_told(face: ExpressiveFace, part: float) -> None:
    rest = face.geometry.skin_vertices
    shut = face.lids.meet(np.zeros_like(rest), part)
    line = face.lids.line
    upper = samples_of(line.edges[line.upper], rest + shut)[2]
    lower = samples_of(line.edges[line.lower], rest + shut)[2]
    assert cKDTree(lower).query(upper)[0].max() < 8e-4
    moved = np.abs(shut[386, 1]), np.abs(shut[374, 1])
    assert moved[0] / sum(moved) == pytest.approx(part, abs=0.1)
    assert np.abs(shut[[13, 152, 10, 159]]).max() == 0


def test_the_mouths_inside_lies_between_lips_and_depth(face: ExpressiveFace) -> None:
    delta = lowered_lips(face, 0.006)
    lined = face.with_linings(delta)
    inside = face.mouth & ~face.depth
    assert lined[inside, 1].min() < -0.003 and lined[inside, 1].max() > -0.002
    assert np.abs(lined[face.depth]).max() < 1e-3
    np.testing.assert_array_equal(lined[~face.mouth], delta[~face.mouth])
    deep = np.tile([0.0, 0.0, 0.004], (len(delta), 1))
    assert np.abs(face.with_linings(delta, deep)[face.depth] - deep[0]).max() < 1e-3


def test_the_skin_beside_the_edge_moves_as_the_edge_does(face: ExpressiveFace) -> None:
    rest, edge = face.geometry.skin_vertices, face.lids.handles
    delta = np.zeros_like(rest)
    delta[edge, 1] = -0.005
    carried = face.lids.carry_along(delta, (0.003, 0.006))
    away = cKDTree(rest[edge]).query(rest)[0]
    assert np.abs(carried[away > 0.006]).max() == 0
    moved = carried[:, 1] / -0.005
    assert (moved >= 0).all() and (moved <= 1).all()
    between = (moved > 0.01) & (moved < 0.99)
    assert between.sum() > 5 and (moved > 0.99).sum() > len(edge)
