# SPDX-License-Identifier: Apache-2.0
"""Tests of what hair hangs and lies on: shoulders that it goes into, a back that it lies on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.drape import start_place
from rome_backend.open_head.hair_chart import AZIMUTHS, ROWS, grid_azimuths, grid_ways, sample
from rome_backend.open_head.hair_rest import (
    Curtain,
    hanging_reach,
    lies_along,
    lying_reach,
    shelf,
    shoulder_way,
    slim_reach,
)
from rome_backend.open_head.scalp import Scalp, build_scalp

THICK = 0.015


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def curtains(scalp: Scalp, drop: float, front: float = 75.0) -> tuple[Curtain, ...]:
    """A curtain on each side that ends ``drop`` m below the chart's equator."""
    hem = np.full(AZIMUTHS, scalp.chart.equator + drop)
    angle = float(np.radians(front))
    return tuple(
        Curtain(side, start_place(scalp, side, angle - 0.2), angle, angle + 0.1, hem)
        for side in (1, -1)
    )


def test_shoulders_are_shelves_and_the_back_is_none(scalp: Scalp) -> None:
    flat = shelf(scalp)
    around = np.degrees(np.abs(grid_azimuths()))
    low = grid_ways() > scalp.chart.equator + 0.08
    beside = flat[np.ix_(np.abs(around - 95) < 8, low)]
    assert beside.max(axis=1).min() > 0.9
    assert flat[np.ix_(around > 150, low)].max() < 0.3
    assert flat.min() >= 0 and flat.max() <= 1


def test_hair_lies_along_only_where_it_is_near_for_a_while(scalp: Scalp) -> None:
    behind = np.degrees(np.abs(grid_azimuths())) > 150
    low = grid_ways() > scalp.chart.equator + 0.15
    near = lies_along(scalp, scalp.body + 0.008)[np.ix_(behind, low)]
    assert near.min() > 0.6
    assert lies_along(scalp, scalp.body + 0.04).max() < 0.05
    row = int((scalp.chart.equator + 0.2) / 0.004)
    only_there = scalp.body + 0.04
    only_there[:, row] = scalp.body[:, row]
    assert lies_along(scalp, only_there).max() < 0.05, "touching is not lying"


def test_hair_goes_into_shoulders_and_lies_on_the_back(scalp: Scalp) -> None:
    both = curtains(scalp, 0.14, 85.0)
    falling = hanging_reach(scalp, 0.3) + THICK
    outer = lying_reach(scalp, falling, both)
    behind = np.abs(grid_azimuths()) > np.radians(140)
    beside = np.abs(np.abs(grid_azimuths()) - np.radians(90)) < np.radians(8)
    low = grid_ways() > scalp.chart.equator + 0.06
    assert (outer - scalp.body)[np.ix_(behind, low)].min() > 0.009
    np.testing.assert_allclose(outer[beside], falling[beside], atol=0.013)
    assert (outer >= falling).all()
    draped = tuple(replace(curtain, low=np.radians(65)) for curtain in both)
    before = np.abs(grid_azimuths()) < np.radians(60)
    chest = (lying_reach(scalp, falling, draped) - scalp.body)[np.ix_(before, low)]
    assert chest.min() > 0.009 > (outer - scalp.body)[np.ix_(before, low)].min()


def test_a_cloth_falls_straight_and_clings_as_told(scalp: Scalp) -> None:
    straight, close = hanging_reach(scalp, 0.0), hanging_reach(scalp, 1.0)
    assert straight.shape == (AZIMUTHS, ROWS)
    slim = slim_reach(scalp)
    assert (straight >= close - 1e-9).all() and (close >= slim - 1e-9).all()
    neck = np.abs(grid_ways() - scalp.chart.equator - 0.10) < 0.01
    assert (straight - scalp.bare)[:, neck].max() > 0.02
    assert np.abs(close - scalp.bare)[:, neck].max() < 0.03


def test_hair_meets_the_shoulders_before_it_ends_behind(scalp: Scalp) -> None:
    ways = shoulder_way(scalp, hanging_reach(scalp, 0.3) + 0.01)
    side = ways[AZIMUTHS * 3 // 4]
    assert side < ways[0] + 0.02
    body = sample(scalp.body, np.array([[side, 0.0]]))[0]
    assert body < sample(hanging_reach(scalp, 0.3), np.array([[side, 0.0]]))[0] + 0.03
    assert (np.abs(np.diff(ways)) < 0.03).all()
