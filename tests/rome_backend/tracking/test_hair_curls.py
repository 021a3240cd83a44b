# SPDX-License-Identifier: Apache-2.0
"""Tests of lumps for curly hair.

Does not know photos.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F64
from rome_backend.open_head.build import open_head
from rome_backend.open_head.hair_chart import AZIMUTHS, ROWS, grid_ways
from rome_backend.open_head.hair_rest import slim_reach
from rome_backend.open_head.scalp import Scalp, build_scalp
from rome_backend.tracking.hair_curls import curled, roughness

LOWEST = 0.15


@pytest.fixture(scope="module")
def scalp() -> Scalp:
    head = open_head()
    return build_scalp(head, head.template.astype(np.float64))


def outline(height: float, length: float = 0.02) -> F64:
    """Rows of hair 2 cm thick, with waves of this height and length in m."""
    return 0.02 + 0.1 * grid_ways() + height * np.sin(2 * np.pi * grid_ways() / length)


def test_a_smooth_outline_is_not_rough() -> None:
    assert roughness(outline(0.0), LOWEST) < 0.0005
    assert roughness(outline(0.01, 0.3), LOWEST) < 0.0012


def test_roughness_grows_with_the_height_of_the_waves() -> None:
    found = [roughness(outline(height), LOWEST) for height in (0.002, 0.004, 0.008)]
    np.testing.assert_allclose(found[1] / found[0], 2, rtol=0.2)
    np.testing.assert_allclose(found[2] / found[1], 2, rtol=0.2)
    assert found[1] == pytest.approx(0.004 / np.sqrt(2), rel=0.3)


def test_gaps_are_bridged_and_too_little_is_no_roughness() -> None:
    rows = outline(0.005)
    rows[15:17] = np.nan
    assert roughness(rows, LOWEST) > 0.002
    rows[12:] = np.nan
    assert roughness(rows, LOWEST) == 0.0
    assert roughness(np.full(ROWS, np.nan), LOWEST) == 0.0


def test_what_lies_lower_does_not_count() -> None:
    rows = outline(0.0)
    rows[round(LOWEST / 0.004) :] += 0.05 * (np.arange(ROWS) % 2)[round(LOWEST / 0.004) :]
    assert roughness(rows, LOWEST) < 0.0005


def test_straight_hair_stays_as_it_is(scalp: Scalp) -> None:
    outer = scalp.bare + 0.03
    np.testing.assert_array_equal(curled(scalp, outer, [0.0015, 0.0015]), outer)


def test_curls_are_lumps_on_thick_hair_alone(scalp: Scalp) -> None:
    slim = slim_reach(scalp)
    outer = slim + 0.03
    outer[: AZIMUTHS // 2] = slim[: AZIMUTHS // 2]
    lumps = curled(scalp, outer, [0.004, 0.004]) - outer
    assert not lumps[: AZIMUTHS // 2].any()
    upper = lumps[AZIMUTHS // 2 :, 5:40]
    assert 0.003 < upper.std() < 0.008 and abs(upper.mean()) < 0.003
    assert np.abs(lumps).max() < 0.011


def test_the_rougher_the_higher_up_to_a_limit(scalp: Scalp) -> None:
    outer = slim_reach(scalp) + 0.03
    sizes = [np.abs(curled(scalp, outer, [r, r]) - outer).max() for r in (0.0022, 0.003, 0.02)]
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert sizes[2] == np.abs(curled(scalp, outer, [1.0]) - outer).max()


def test_lumps_are_as_large_as_locks(scalp: Scalp) -> None:
    outer = slim_reach(scalp) + 0.03
    lumps = curled(scalp, outer, [0.01]) - outer
    around = lumps[:, int(scalp.chart.equator / 0.004)]
    changes = (np.diff(np.sign(around - around.mean())) != 0).sum()
    circle = 2 * np.pi * (scalp.chart.radius + 0.03)
    assert 0.02 < 2 * circle / changes < 0.07
