# SPDX-License-Identifier: Apache-2.0
"""Tests of larger textures: the photo's detail where it was seen, nothing new elsewhere.

Bakes small textures only.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.errors import Cancelled
from rome_backend.core.types import HeadModel
from rome_backend.texture import bake as baking
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.bake import bake
from rome_backend.texture.enlarge import enlarged
from rome_backend.texture.seams import seam_steps
from rome_backend.texture.view import TextureView

SMALL, FACTOR = 128, 4
LARGE = SMALL * FACTOR


def stripes() -> np.ndarray:
    """Skin with vertical stripes of 5 large texels, finer than the small texture can show."""
    u = np.arange(LARGE) % 5 < 2
    grey = np.where(u, 230.0, 130.0)
    return np.broadcast_to(grey[None, :, None] * [1.0, 0.8, 0.7], (LARGE, LARGE, 3))


@pytest.fixture(scope="module")
def view(photograph) -> TextureView:
    return photograph(0, size=900, albedo=stripes())


@pytest.fixture(scope="module")
def small(egg: HeadModel, view: TextureView):
    return bake(egg, [view], SMALL)


@pytest.fixture(scope="module")
def large(egg: HeadModel, view: TextureView, small) -> tuple[np.ndarray, np.ndarray]:
    atlas = atlas_of(egg, SMALL)
    return enlarged(egg, atlas, view, small.albedo, small.confidence, FACTOR)


def test_it_is_that_much_larger(large: tuple) -> None:
    albedo, confidence = large
    assert albedo.shape == (LARGE, LARGE, 3)
    assert confidence.shape == (LARGE, LARGE)
    assert albedo.dtype == confidence.dtype == np.uint8


def test_detail_of_the_photo_appears_where_it_was_seen(large: tuple, small) -> None:
    albedo, confidence = large
    plain = np.kron(small.albedo, np.ones((FACTOR, FACTOR, 1))).astype(np.uint8)
    seen = confidence > 220

    def error(image: np.ndarray) -> float:
        return float(np.abs(image[seen].astype(float) - stripes()[seen]).mean())

    assert seen.mean() > 0.03
    assert error(albedo) < 0.75 * error(plain)


def test_nothing_is_added_where_no_photo_was(large: tuple, small) -> None:
    albedo, confidence = large
    coarse = albedo.reshape(SMALL, FACTOR, SMALL, FACTOR, 3).mean((1, 3))
    unseen = (small.confidence == 0) & atlas_interior(small.confidence)
    assert unseen.sum() > 300
    assert np.abs(coarse - small.albedo)[unseen].mean() < 6


def atlas_interior(confidence: np.ndarray) -> np.ndarray:
    inner = np.zeros(confidence.shape, bool)
    inner[20:-20, 20:40] = True
    return inner


def test_its_seams_are_closed(egg: HeadModel, large: tuple) -> None:
    assert seam_steps(egg, large[0]).max() < 2


def test_it_can_be_ended(egg: HeadModel, view: TextureView, small) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        enlarged(egg, atlas_of(egg, SMALL), view, small.albedo, small.confidence, 2, stop)


def test_large_textures_are_baked_small_and_enlarged(
    egg: HeadModel, photograph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baking, "LARGEST", SMALL)
    baked = bake(egg, [photograph(0)], 2 * SMALL)
    assert baked.albedo.shape == (2 * SMALL, 2 * SMALL, 3)
    assert baked.confidence.shape == (2 * SMALL, 2 * SMALL)
    assert baked.empty_texels == 0
    assert seam_steps(egg, baked.albedo).max() < 2
