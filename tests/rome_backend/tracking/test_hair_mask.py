# SPDX-License-Identifier: Apache-2.0
"""Tests of finding hair by its colours in plain pictures.

Does not know measuring.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.scalp import Scalp, build_scalp
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.hair_mask import (
    EAR,
    FACE,
    NECK,
    NOTHING,
    SCALP,
    HairMask,
    find_hair,
    seen_regions,
    skin_distance,
)
from rome_backend.tracking.outline import SquareView
from tests.rome_backend.tracking.hair_photos import HAIR, SIZE, SKIN, fit_of, grown, photo_of


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def found(head: HeadModel, offsets: np.ndarray, bald: bool = False) -> tuple[HairMask, np.ndarray]:
    """What is found in a picture, and the pixels (S, S) that are hair-coloured in it."""
    fit = fit_of(head)
    crop = photo_of(head, offsets, fit, bald)
    view = SquareView(fit, SIZE, SIZE)
    base = head.template.astype(np.float64)
    seen = seen_regions(head, base, view, TorchRasterizer())
    mask = find_hair(head, base, view, crop, crop.matte > 0.5, seen)
    truth = np.abs(crop.rgb.astype(float) - HAIR).sum(axis=2) < 60
    return mask, truth


@pytest.mark.parametrize("drop", [0.0, 0.13])
def test_hair_is_found_where_it_is(head: HeadModel, scalp: Scalp, drop: float) -> None:
    mask, truth = found(head, grown(head, scalp, 0.02, drop))
    overlap = (mask.hair & truth).sum() / (mask.hair | truth).sum()
    assert overlap > 0.9
    assert not mask.bald


def test_a_bald_head_has_no_hair(head: HeadModel) -> None:
    mask, _ = found(head, np.zeros(head.template.shape), bald=True)
    assert mask.bald and not mask.hair.any()


def test_neither_clothes_nor_background_are_hair(head: HeadModel, scalp: Scalp) -> None:
    mask, truth = found(head, grown(head, scalp, 0.02))
    assert (mask.hair & ~truth).sum() < 0.03 * truth.sum()


def test_regions_are_seen_where_they_are(head: HeadModel) -> None:
    view = SquareView(fit_of(head), SIZE, SIZE)
    seen = seen_regions(head, head.template.astype(np.float64), view, TorchRasterizer())
    rows = {code: np.nonzero(seen == code)[0].mean() for code in (SCALP, FACE, NECK)}
    assert rows[SCALP] < rows[FACE] < rows[NECK]
    assert (seen[0] == NOTHING).all()
    ears = np.nonzero(seen == EAR)[1]
    assert (ears < SIZE / 2).sum() > 10 and (ears > SIZE / 2).sum() > 10


def test_skin_is_near_and_hair_far() -> None:
    rgb = np.zeros((20, 40, 3), np.uint8)
    rgb[:, :20], rgb[:, 20:] = SKIN, HAIR
    rgb[5, 5] = (20, 20, 30)  # an eye
    face = np.zeros((20, 40), bool)
    face[:, :20] = True
    distance = skin_distance(rgb, face)
    assert np.median(distance[:, :20]) < 1 and distance[:, 20:].min() > 16
    assert distance[5, 5] > 16
    assert not skin_distance(rgb, face & False).any()
