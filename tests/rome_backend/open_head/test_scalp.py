# SPDX-License-Identifier: Apache-2.0
"""Tests of the scalp laid out flat.

Does not know hair.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.hair_chart import azimuth_of, sample
from rome_backend.open_head.scalp import Scalp, build_scalp


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def test_the_edge_is_one_line_round_the_scalp(head: HeadModel, scalp: Scalp) -> None:
    assert len(np.unique(scalp.edge)) == len(scalp.edge) > 40
    edges = {tuple(sorted(pair)) for f in head.faces for pair in zip(f, np.roll(f, 1), strict=True)}
    line = scalp.vertices[scalp.edge]
    assert all(tuple(sorted(pair)) in edges for pair in zip(line, np.roll(line, -1), strict=True))


def test_places_run_from_the_forehead_to_the_nape_on_both_sides(scalp: Scalp) -> None:
    azimuth = azimuth_of(scalp.flat[scalp.edge])
    assert np.abs(azimuth[np.argmin(np.abs(scalp.place))]) < 0.1
    assert np.abs(azimuth[np.argmax(np.abs(scalp.place))]) > 3.0
    assert np.abs(scalp.place).max() == 1.0
    for side in (1, -1):
        own = side * scalp.place > 0.05
        assert (side * azimuth[own] > 0).all()
        order = np.argsort(side * scalp.place[own])
        assert np.diff(side * scalp.place[own][order]).max() < 0.1


def test_inner_vertices_follow_as_means_of_the_edge(scalp: Scalp) -> None:
    np.testing.assert_allclose(scalp.follow[np.unique(scalp.faces)].sum(axis=1), 1, atol=1e-9)
    assert scalp.follow.min() > -1e-9
    inside = np.unique(scalp.faces)
    again = scalp.follow[inside] @ scalp.flat[scalp.edge]
    np.testing.assert_allclose(again, scalp.flat[inside], atol=1e-9)
    np.testing.assert_array_equal(scalp.follow[scalp.edge], np.eye(len(scalp.edge)))
    shifted = scalp.follow @ np.full((len(scalp.edge), 2), [0.01, -0.02])
    np.testing.assert_allclose(shifted[inside], np.tile([0.01, -0.02], (len(inside), 1)))
    apart = np.setdiff1d(np.arange(len(shifted)), inside)
    assert not scalp.follow[apart].any()


def test_inner_is_the_distance_to_the_edge(scalp: Scalp) -> None:
    assert not scalp.inner[scalp.edge].any()
    inside = np.setdiff1d(scalp.faces, scalp.edge)
    assert not scalp.inner[np.setdiff1d(np.arange(len(scalp.rest)), scalp.faces)].any()
    gap = np.linalg.norm(scalp.rest[inside][:, None] - scalp.rest[scalp.edge][None], axis=2)
    assert (scalp.inner[inside] >= gap.min(axis=1) - 1e-9).all()


def test_the_body_holds_the_ears_and_the_bare_head_hardly(head: HeadModel, scalp: Scalp) -> None:
    ears = head.template[head.regions["ears"]].astype(np.float64)
    flat, reach = scalp.chart.flat(ears)
    furthest = np.argsort(reach)[-20:]
    assert (sample(scalp.body, flat[furthest]) > reach[furthest] - 0.006).all()
    assert (sample(scalp.bare, flat[furthest]) < reach[furthest] - 0.003).all()
    assert (scalp.body >= scalp.bare - 1e-9).all()


def test_the_chart_knows_every_scalp_vertex(scalp: Scalp) -> None:
    np.testing.assert_allclose(scalp.chart.solid(scalp.flat, scalp.reach), scalp.rest, atol=1e-12)
    assert scalp.bottom > np.linalg.norm(scalp.flat, axis=1).max()


def test_a_scalp_without_a_closed_edge_has_none(head: HeadModel) -> None:
    few = np.zeros(len(head.template), bool)
    few[np.flatnonzero(head.regions["hair"])[:2]] = True
    bare = replace(head, regions={**head.regions, "hair": few})
    scalp = build_scalp(bare, head.template.astype(np.float64))
    assert scalp.edge.shape == (0,) and scalp.follow.shape == (2, 0)
