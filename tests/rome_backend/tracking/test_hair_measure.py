# SPDX-License-Identifier: Apache-2.0
"""Tests of measuring hair of known size in plain pictures.

Does not know colours: the masks are given.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.hair_chart import grid_azimuths, grid_ways
from rome_backend.open_head.scalp import Scalp, build_scalp
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.hair_mask import EAR, seen_regions
from rome_backend.tracking.hair_measure import HairShape, measure_hair
from rome_backend.tracking.hair_rays import Seen
from rome_backend.tracking.outline import SquareView
from tests.rome_backend.tracking.hair_photos import HAIR, SIZE, fit_of, grown, photo_of


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def look(
    head: HeadModel, offsets: np.ndarray, yaw: float = 0.0, top: int = 0
) -> tuple[SquareView, Seen]:
    """What is seen of a head with these offsets; the first ``top`` rows are unknown."""
    fit = fit_of(head, yaw)
    view = SquareView(fit, SIZE, SIZE)
    crop = photo_of(head, offsets, fit)
    person = crop.matte > 0.5
    hair = person & (np.abs(crop.rgb.astype(float) - HAIR).sum(axis=2) < 60)
    known = np.arange(SIZE)[:, None] >= np.full((1, SIZE), top)
    ears = seen_regions(head, head.template.astype(float), view, TorchRasterizer()) == EAR
    return view, Seen(person, hair, known, ears)


def measured(head: HeadModel, scalp: Scalp, offsets: np.ndarray, yaw: float = 0.0) -> HairShape:
    shape = measure_hair(scalp, *look(head, offsets, yaw))
    assert shape is not None
    return shape


def above(scalp: Scalp, shape: HairShape, low: float, high: float, azimuth: float) -> np.ndarray:
    """Thickness m in rows between two ways, at an azimuth in degrees."""
    column = np.argmin(np.abs(grid_azimuths() - np.radians(azimuth)))
    rows = (grid_ways() > low) & (grid_ways() < high)
    return (shape.outer - scalp.bare)[column, rows]


@pytest.mark.parametrize("thickness", [0.0, 0.015, 0.04])
@pytest.mark.parametrize("yaw", [0.0, 20.0])
def test_thickness_is_measured(head: HeadModel, scalp: Scalp, thickness: float, yaw: float) -> None:
    shape = measured(head, scalp, grown(head, scalp, thickness), yaw)
    for side in (90.0, -90.0):
        found = above(scalp, shape, 0.02, scalp.chart.equator - 0.02, side)
        assert np.median(found) == pytest.approx(thickness, abs=0.005)
    behind = above(scalp, shape, 0.03, scalp.chart.equator - 0.02, 179.0)
    assert np.median(behind) == pytest.approx(thickness, abs=0.008)
    assert not shape.curtains


@pytest.mark.parametrize("drop", [0.09, 0.13])
def test_long_hair_hangs_as_low_as_it_is_seen(head: HeadModel, scalp: Scalp, drop: float) -> None:
    shape = measured(head, scalp, grown(head, scalp, 0.02, drop))
    assert {curtain.side for curtain in shape.curtains} == {1, -1}
    for curtain in shape.curtains:
        column = np.argmin(np.abs(grid_azimuths() - curtain.side * np.radians(90)))
        assert curtain.hem[column] == pytest.approx(scalp.chart.equator + drop, abs=0.015)


def test_ears_that_are_seen_stay_free(head: HeadModel, scalp: Scalp) -> None:
    covered = measured(head, scalp, grown(head, scalp, 0.025, 0.12, front=70.0))
    free = measured(head, scalp, grown(head, scalp, 0.01, 0.12, front=112.0))
    assert max(curtain.front for curtain in covered.curtains) < np.radians(85)
    assert min((curtain.front for curtain in free.curtains), default=2.0) > np.radians(95)


def test_what_lies_beyond_the_picture_is_rounded_off(head: HeadModel, scalp: Scalp) -> None:
    offsets = grown(head, scalp, 0.03)
    view, seen = look(head, offsets)
    first = int(np.nonzero(seen.person.any(axis=1))[0][0])
    shape = measure_hair(scalp, *look(head, offsets, top=first + 25))
    assert shape is not None
    crown = above(scalp, shape, 0.0, 0.04, 90.0)
    assert crown.min() > 0.015 and crown.max() < 0.05


def test_nothing_known_is_told(head: HeadModel, scalp: Scalp) -> None:
    assert measure_hair(scalp, *look(head, grown(head, scalp, 0.02), top=SIZE)) is None


def test_both_sides_meet_at_the_crown(head: HeadModel, scalp: Scalp) -> None:
    offsets = grown(head, scalp, 0.03)
    offsets[head.template[:, 0] < 0] *= 0.3
    shape = measured(head, scalp, offsets)
    assert np.ptp((shape.outer - scalp.bare)[:, 0]) < 0.004
    left = np.median(above(scalp, shape, 0.07, 0.11, 90.0))
    right = np.median(above(scalp, shape, 0.07, 0.11, -90.0))
    assert left > right + 0.01


def test_hair_seen_to_hang_on_one_side_only(head: HeadModel, scalp: Scalp) -> None:
    left = head.template[:, 0] > 0
    long = measured(head, scalp, grown(head, scalp, 0.025, 0.13) * left[:, None])
    fronts = {curtain.side: curtain.front for curtain in long.curtains}
    assert fronts[1] < np.radians(85) and fronts[-1] > np.radians(95)
    short = measured(head, scalp, grown(head, scalp, 0.025, 0.07) * left[:, None])
    assert not short.curtains
