# SPDX-License-Identifier: Apache-2.0
"""Tests of cutting samples of hair and skin out of photos.

Synthesises nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.examples import (
    Example,
    PhotoSurface,
    cloth_example,
    hair_example,
    photo_surface,
    plain_hair,
    skin_example,
)
from rome_backend.texture.palette import Palette, palette_of, region_texels
from rome_backend.texture.unproject import unproject

HAIR, SKIN = np.array([80.0, 58, 40]), np.array([196.0, 148, 122])


@pytest.fixture(scope="module")
def palette(egg: HeadModel, photograph) -> Palette:
    atlas = atlas_of(egg, 160)
    seen = unproject(egg, atlas, photograph(0))
    points = atlas.spread(egg.template)
    return palette_of(seen.colour, seen.weight, points, region_texels(egg, atlas))


def striped(angle: float, period: float = 5.0) -> PhotoSurface:
    """Hair everywhere whose stripes run at an angle (rad, from x towards y), under uneven light."""
    y, x = np.mgrid[:160, :160].astype(np.float32)
    across = -x * np.sin(angle) + y * np.cos(angle)
    grey = (1 + 0.2 * np.sin(2 * np.pi * across / period)) * (0.8 + x / 400)
    rgb = (HAIR * grey[..., None]).astype(np.float32)
    everywhere = np.ones((160, 160), bool)
    return PhotoSurface(rgb, everywhere, ~everywhere, everywhere, 1e-3)


def test_the_mesh_says_what_the_photo_shows(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    photo = photo_surface(egg, view)
    assert photo.rgb.shape[:2] == photo.hair.shape == (384, 384)
    assert not (photo.hair & photo.skin).any()
    assert photo.hair.sum() > 500
    assert photo.skin.sum() > 3000
    assert photo.metres == pytest.approx(0.32 / 384, rel=0.02)
    assert np.argwhere(photo.hair)[:, 0].mean() < np.argwhere(photo.skin)[:, 0].mean() - 40
    assert np.abs(np.median(photo.rgb[photo.skin], axis=0) - SKIN).max() < 20


def test_large_photos_are_taken_smaller(egg: HeadModel, photograph) -> None:
    photo = photo_surface(egg, photograph(0, size=700))
    assert photo.rgb.shape == (512, 512, 3)
    assert photo.metres == pytest.approx(0.32 / 512, rel=0.02)


def test_nothing_is_taken_from_outside_the_person(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    photo = photo_surface(egg, replace(view, matte=np.zeros_like(view.matte)))
    assert not photo.hair.any()
    assert not photo.skin.any()


@pytest.mark.parametrize("angle", [0.0, 0.6, 1.4, 2.3])
def test_the_direction_of_strands_is_found(palette: Palette, angle: float) -> None:
    example = hair_example(striped(angle), palette)
    assert isinstance(example, Example)
    found = example.angle[example.centres[:, 1], example.centres[:, 0]]
    assert np.abs(np.sin(found - angle)).max() < 0.15
    assert example.straight > 0.8


def test_light_is_taken_out_and_detail_stays(palette: Palette) -> None:
    detail = hair_example(striped(0.3), palette).detail[20:-20, 20:-20, :3]
    columns = detail.mean((0, 2))
    assert np.abs(columns[:10].mean() - columns[-10:].mean()) < 0.02
    assert 0.05 < detail.std() < 0.25


def test_too_little_hair_gives_no_example(palette: Palette) -> None:
    photo = striped(0.0)
    few = np.zeros_like(photo.hair)
    few[:12, :12] = True
    assert hair_example(replace(photo, hair=few), palette) is None
    assert skin_example(photo, palette) is None


def test_cloth_is_neither_skin_nor_hair(palette: Palette) -> None:
    photo = striped(0.0)
    assert cloth_example(photo, palette) is None
    weave = np.random.default_rng(0).normal(0, 12, (*photo.hair.shape, 1))
    rgb = np.clip(np.array([40.0, 60, 190]) + weave, 0, 255).astype(np.float32)
    blue = replace(photo, rgb=rgb)
    found = cloth_example(blue, palette)
    assert not found.oriented
    assert found.detail[..., :3].std() > 0.02


def test_short_hair_varies_faster_than_long(palette: Palette) -> None:
    wide = striped(0.0, period=40.0)
    long, short = (hair_example(wide, palette, kind).detail[..., 0] for kind in (True, False))
    assert long.std() > 1.5 * short.std()


def test_foreign_colours_are_left_out(palette: Palette) -> None:
    photo = striped(0.5)
    rgb = photo.rgb.copy()
    rgb[60:75, 60:75] = (20, 220, 30)
    example = hair_example(replace(photo, rgb=rgb), palette)
    clean = hair_example(photo, palette)
    assert np.abs(example.detail[..., :3]).max() < 1.3 * np.abs(clean.detail[..., :3]).max()


def test_invented_hair_runs_down_with_the_contrast_asked_for() -> None:
    example = plain_hair(3, 0.05, 0.1)
    grey = example.detail[..., 0]
    assert grey.std() == pytest.approx(np.hypot(0.05, 0.1), rel=0.2)
    assert np.abs(np.diff(grey, axis=1)).mean() > 3 * np.abs(np.diff(grey, axis=0)).mean()
    assert np.array_equal(example.detail, plain_hair(3, 0.05, 0.1).detail)
