# SPDX-License-Identifier: Apache-2.0
"""Tests of the rays along a bald head's outline. Does not know what is concluded from them."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.hair_chart import grid_ways
from rome_backend.open_head.scalp import Scalp, build_scalp
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.hair_mask import EAR, seen_regions
from rome_backend.tracking.hair_rays import HairSide, Seen, hair_side, mirrored
from rome_backend.tracking.outline import SquareView
from tests.rome_backend.tracking.hair_photos import HAIR, SIZE, fit_of, grown, photo_of


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def side_of(head: HeadModel, scalp: Scalp, offsets: np.ndarray, sign: int) -> HairSide:
    fit = fit_of(head)
    view = SquareView(fit, SIZE, SIZE)
    crop = photo_of(head, offsets, fit)
    person = crop.matte > 0.5
    hair = person & (np.abs(crop.rgb.astype(float) - HAIR).sum(axis=2) < 60)
    ears = seen_regions(head, head.template.astype(float), view, TorchRasterizer()) == EAR
    return hair_side(scalp, view, Seen(person, hair, person | True, ears), sign)


def test_the_outline_lies_as_far_out_as_the_hair_is_thick(head: HeadModel, scalp: Scalp) -> None:
    offsets = grown(head, scalp, 0.03)
    offsets[head.template[:, 0] < 0] = 0
    upper = (grid_ways() > 0.03) & (grid_ways() < scalp.chart.equator - 0.02)
    left, right = (side_of(head, scalp, offsets, sign) for sign in (1, -1))
    assert np.nanmedian(left.rows[upper]) == pytest.approx(0.03, abs=0.004)
    assert np.nanmedian(right.rows[upper]) == pytest.approx(0.0, abs=0.004)
    assert left.azimuth == pytest.approx(np.pi / 2) and right.azimuth == pytest.approx(-np.pi / 2)


def test_hair_beside_the_neck_is_told_from_the_neck(head: HeadModel, scalp: Scalp) -> None:
    neck = np.abs(grid_ways() - scalp.chart.equator - 0.09) < 0.015
    long = side_of(head, scalp, grown(head, scalp, 0.02, 0.13), 1)
    short = side_of(head, scalp, grown(head, scalp, 0.02), 1)
    assert long.hairy[neck].min() > 0.01
    assert short.hairy[neck].max() < 0.003
    assert long.covered and not short.covered


def test_a_hidden_side_repeats_the_seen_one_modestly(head: HeadModel, scalp: Scalp) -> None:
    seen = side_of(head, scalp, grown(head, scalp, 0.02), 1)
    hidden = side_of(head, scalp, grown(head, scalp, 0.01), -1)
    twin = mirrored(seen, hidden, upper=0.08)
    assert twin.sign == -1 and twin.azimuth == -seen.azimuth
    upper = (grid_ways() > 0.03) & (grid_ways() < 0.08)
    lower = (grid_ways() > 0.085) & (grid_ways() < scalp.chart.equator - 0.02)
    assert np.nanmedian(twin.rows[upper]) == pytest.approx(0.01, abs=0.004)
    assert np.nanmedian(twin.rows[lower]) == pytest.approx(0.02, abs=0.004)
    thick = side_of(head, scalp, grown(head, scalp, 0.05), 1)
    assert np.nanmax(mirrored(thick, hidden, upper=0.0).rows) < 0.03
