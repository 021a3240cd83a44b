# SPDX-License-Identifier: Apache-2.0
"""Tests of taking a photo's light out: bounded, of the face alone, and without an edge."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.delight import without_light
from rome_backend.texture.unproject import unproject

SIZE = 192


@pytest.fixture(scope="module")
def gain(egg: HeadModel, photograph) -> np.ndarray:
    """By how much a face lit hard from one side is changed (P,)."""
    u = (np.arange(512) + 0.5) / 512
    albedo = np.full((512, 512, 3), [150.0, 110.0, 90.0]) * (0.4 + 1.2 * u)[None, :, None]
    atlas = atlas_of(egg, SIZE)
    seen = unproject(egg, atlas, photograph(0, albedo=albedo))
    after = without_light(egg, atlas, seen)
    sure = (seen.weight > 0.05) & (seen.colour.min(1) > 5) & (after.colour.max(1) < 250)
    return np.where(sure, after.colour[:, 1] / np.maximum(seen.colour[:, 1], 1), np.nan)


def test_the_dark_side_gains_and_the_light_one_loses_within_limits(
    egg: HeadModel, gain: np.ndarray
) -> None:
    x, y, z = atlas_of(egg, SIZE).spread(egg.template).T
    face = (z > 0.04) & (np.abs(y) < 0.04) & np.isfinite(gain)
    dark, light = face & (x < -0.03), face & (x > 0.03)
    assert min(dark.sum(), light.sum()) > 30
    assert np.median(gain[dark]) > 1.05 and np.median(gain[light]) < 0.95
    assert np.nanmax(gain) < np.exp(0.36) and np.nanmin(gain) > np.exp(-0.36)


def test_it_ends_softly_on_the_neck(egg: HeadModel, gain: np.ndarray) -> None:
    """Less than a hundredth from texel to texel where face and neck meet."""
    atlas = atlas_of(egg, SIZE)
    image = atlas.image(np.nan_to_num(gain, nan=-1).astype(np.float32))
    y = atlas.image(atlas.spread(egg.template)[:, 1])
    border = (np.abs(y + 0.07) < 0.015) & atlas.covered
    step = np.abs(np.diff(image, axis=0))
    known = (image[1:] > 0) & (image[:-1] > 0) & border[1:] & border[:-1]
    assert known.sum() > 200 and step[known].max() < 0.008
    low = (y < -0.115) & (image > 0)
    assert low.sum() > 20 and np.abs(image[low] - 1).max() < 0.05
