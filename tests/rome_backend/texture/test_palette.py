# SPDX-License-Identifier: Apache-2.0
"""Skin and hair colours learned from texels, and the texels that fit neither.

Does not test what is done with them.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.palette import REGIONS, fit_colours, palette_of, region_texels, to_lab

SKIN, HAIR, GREEN = (205.0, 150.0, 125.0), (60.0, 45.0, 35.0), (40.0, 160.0, 60.0)


def coloured(egg: HeadModel, skin: tuple = SKIN, hair: tuple = HAIR) -> tuple:
    atlas = atlas_of(egg, 128)
    regions = region_texels(egg, atlas)
    points = atlas.spread(egg.template)
    noise = np.random.default_rng(0).normal(0, 4, (len(points), 3))
    colour = np.where(regions["hair"][:, None] > 0.5, hair, skin) + noise
    weight = (points[:, 2] > -0.04).astype(np.float32)
    return np.clip(colour, 0, 255).astype(np.float32), weight, points, regions


def test_regions_are_complete_and_left_is_the_subjects_left(egg: HeadModel) -> None:
    atlas = atlas_of(egg, 128)
    regions = region_texels(egg, atlas)
    assert set(regions) == {*REGIONS, "left"}
    assert regions["mouth_inside"].max() == 0
    x = atlas.spread(egg.template)[:, 0]
    assert np.all(regions["left"][x > 0.015] > 0.999)
    assert np.all(regions["left"][x < -0.015] < 0.001)


def test_skin_and_hair_are_found(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg)
    palette = palette_of(colour, weight, points, regions)
    assert np.abs(palette.skin.rgb() - SKIN).max() < 6
    assert np.abs(palette.hair.rgb() - HAIR).max() < 6
    hair = regions["hair"] > 0.5
    assert palette.skin_likeness[~hair].mean() > 0.95
    assert palette.skin_likeness[hair].max() < 0.05
    assert palette.foreign.max() < 0.1


def test_a_third_colour_is_foreign(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg)
    spot = (regions["hair"] > 0.5) & (points[:, 0] > 0.06)
    colour[spot] = GREEN
    palette = palette_of(colour, weight, points, regions)
    assert spot.sum() > 50
    assert palette.foreign[spot].min() > 0.9
    assert palette.foreign[~spot].max() < 0.2


def test_a_bare_scalp_is_skin(egg: HeadModel) -> None:
    palette = palette_of(*coloured(egg, hair=SKIN))
    assert np.abs(palette.hair.rgb() - palette.skin.rgb()).max() < 6
    assert palette.skin_likeness.mean() > 0.95


def test_a_beard_does_not_become_skin(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg)
    beard = (points[:, 1] < -0.03) & (points[:, 2] > 0)
    colour[beard] = (230.0, 230.0, 230.0)
    palette = palette_of(colour, weight, points, regions)
    assert np.abs(palette.skin.rgb() - SKIN).max() < 10


def test_with_nothing_seen_there_is_a_usable_default(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg)
    palette = palette_of(colour, 0 * weight, points, regions)
    red, green, blue = palette.skin.rgb()
    assert 255 > red > green > blue > 60
    assert np.isfinite(palette.foreign).all()


def test_few_texels_are_no_distribution_and_outliers_do_not_matter() -> None:
    lab = np.tile(np.float32([60, 10, 12]), (1000, 1))
    weight = np.ones(1000, np.float32)
    assert fit_colours(lab, np.where(np.arange(1000) < 100, weight, 0)) is None
    lab[:150] = [10, -60, 60]
    model = fit_colours(lab, weight)
    assert model is not None
    assert np.abs(model.mean - [60, 10, 12]).max() < 3
    assert model.distance(lab[:1])[0] > 50 > 1 > model.distance(lab[-1:])[0]


def test_lab_of_white_grey_and_black() -> None:
    lab = to_lab(np.float32([[255, 255, 255], [119, 119, 119], [0, 0, 0]]))
    assert np.allclose(lab[:, 0], [100, 50, 0], atol=0.5)
    assert np.abs(lab[:, 1:]).max() < 0.5


def test_fair_hair_that_looks_like_skin_is_not_learned_from_a_dark_collar(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg, hair=(200.0, 165.0, 130.0))
    collar = (regions["hair"] > 0.5) & (points[:, 0] > 0.07)
    colour[collar] = (20.0, 25.0, 60.0)
    palette = palette_of(colour, weight, points, regions)
    assert collar.sum() > 50
    assert palette.hair.rgb().mean() > 140
    assert palette.hair_likeness[collar].max() < 0.1


def bearded(egg: HeadModel, beard: tuple, nose: tuple = SKIN) -> tuple:
    """As coloured, with a nose, and most of the cheeks under a beard."""
    colour, weight, points, regions = coloured(egg)
    colour[(points[:, 1] < 0.024) & (points[:, 2] > 0) & (np.abs(points[:, 0]) > 0.02)] = beard
    on_nose = (np.abs(points[:, 0]) < 0.02) & (points[:, 2] > 0.05)
    colour[on_nose & (points[:, 0] > 0)] = nose
    return colour, weight, points, {**regions, "nose": on_nose.astype(np.float32)}


def test_a_beard_up_to_the_eyes_does_not_become_skin(egg: HeadModel) -> None:
    palette = palette_of(*bearded(egg, (150.0, 148.0, 146.0)))
    assert np.abs(palette.skin.rgb() - SKIN).max() < 12
    ginger = palette_of(*bearded(egg, (170.0, 85.0, 20.0)))
    assert np.abs(ginger.skin.rgb() - SKIN).max() < 12


def test_a_lamp_on_half_the_nose_does_not_make_a_grey_beard_skin(egg: HeadModel) -> None:
    palette = palette_of(*bearded(egg, (150.0, 148.0, 146.0), nose=(225.0, 222.0, 220.0)))
    assert np.abs(palette.skin.rgb() - SKIN).max() < 15


def test_a_window_in_dark_hair_is_no_hair_colour_but_fair_hair_is(egg: HeadModel) -> None:
    colour, weight, points, regions = coloured(egg)
    shining = (regions["hair"] > 0.5) & (points[:, 0] > -0.01)
    assert (shining * weight).sum() > 0.5 * ((regions["hair"] > 0.5) * weight).sum()
    colour[shining] = (235.0, 236.0, 238.0)
    assert np.abs(palette_of(colour, weight, points, regions).hair.rgb() - HAIR).max() < 8
    white = coloured(egg, hair=(225.0, 222.0, 218.0))
    assert palette_of(*white).hair.rgb().mean() > 210


def test_what_is_light_on_both_sides_of_most_of_the_head_is_fur_and_no_window(
    egg: HeadModel,
) -> None:
    colour, weight, points, regions = coloured(egg, hair=(225.0, 222.0, 218.0))
    seen = (regions["hair"] > 0.5) & (weight > 0.5)
    shaded = seen & (points[:, 1] > np.quantile(points[seen, 1], 0.75))
    colour[shaded] = (20.0, 20.0, 20.0)
    both = palette_of(colour, weight, points, regions).hair.rgb().mean()
    colour[seen & ~shaded & (points[:, 0] < 0)] = (20.0, 20.0, 20.0)
    assert palette_of(colour, weight, points, regions).hair.rgb().mean() < 40 < 150 < both


def shaded_neck(egg: HeadModel, neck: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Skin likeness of a neck of that colour, above the shoulders and on them."""
    colour, weight, points, regions = coloured(egg)
    on_neck = (regions["neck"] > 0.95) & (regions["hair"] < 0.05)
    regions["shoulders"] = (on_neck & (points[:, 1] < -0.1)).astype(np.float32)
    colour[on_neck] = neck
    likeness = palette_of(colour, weight, points, regions).skin_likeness
    y = points[:, 1]
    return likeness[on_neck & (y > -0.095)], likeness[on_neck & (y < -0.105)]


def test_skin_in_the_jaws_shadow_is_skin_but_cloth_and_black_are_not(egg: HeadModel) -> None:
    above, shoulders = shaded_neck(egg, tuple(0.3 * np.array(SKIN)))
    assert len(above) > 100 and above.min() > 0.8
    assert len(shoulders) > 100 and shoulders.max() < 0.1  # a brown dress
    for cloth in ((50.0, 50.0, 52.0), (30.0, 40.0, 80.0), (8.0, 6.0, 5.0)):
        assert shaded_neck(egg, cloth)[0].max() < 0.2
