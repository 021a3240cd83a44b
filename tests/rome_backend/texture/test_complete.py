# SPDX-License-Identifier: Apache-2.0
"""Completion: what is trusted, what mirrors, ears under hair, and the mouth's inside.

Does not test photos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.complete import complete
from rome_backend.texture.palette import region_texels

SIZE = 160
SKIN, HAIR, GREEN = (205.0, 150.0, 125.0), (60.0, 45.0, 35.0), (40.0, 160.0, 60.0)


@pytest.fixture
def seen(egg: HeadModel) -> tuple:
    """Atlas, points, colour and weight of a two-coloured egg seen from the front."""
    atlas = atlas_of(egg, SIZE)
    points = atlas.spread(egg.template)
    hair = atlas.spread(egg.regions["hair"].astype(np.float32)) > 0.5
    noise = np.random.default_rng(0).normal(0, 3, (len(points), 3))
    colour = np.clip(np.where(hair[:, None], HAIR, SKIN) + noise, 0, 255).astype(np.float32)
    return atlas, points, colour, (points[:, 2] > -0.005).astype(np.float32)


def test_seen_texels_keep_their_colour_and_all_are_filled(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    done = complete(egg, atlas, colour, weight)
    assert done.filled.all()
    inner = points[:, 2] > 0.03
    assert np.abs(done.colour - colour)[inner].max() < 2
    assert done.trust[inner].min() > 0.8
    assert np.all(done.trust <= weight)


def test_background_on_an_ear_is_not_trusted(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    ear = (points[:, 0] > 0.072) & (np.abs(points[:, 1]) < 0.012) & (points[:, 2] > 0)
    colour[ear] = GREEN
    done = complete(egg, atlas, colour, weight)
    assert ear.sum() > 10
    assert done.trust[ear].max() < 0.2
    assert np.abs(done.colour[ear].mean(0) - SKIN).max() < 40


def test_ears_covered_by_hair_stay_hair(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    ears = atlas.spread(egg.regions["ears"].astype(np.float32)) > 0.3
    colour[ears] = HAIR
    done = complete(egg, atlas, colour, weight)
    assert np.abs(done.colour[ears].mean(0) - HAIR).max() < 25


def test_a_window_on_the_ears_does_not_make_them_hair(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    ears = atlas.spread(egg.regions["ears"].astype(np.float32)) > 0.5
    front = ears & (weight > 0)
    lit = front & (np.random.default_rng(1).random(len(front)) < 0.85)
    colour[lit] = (235.0, 240.0, 250.0)
    done = complete(egg, atlas, colour, weight)
    assert lit.sum() > 50
    assert np.abs(done.colour[lit].mean(0) - SKIN).max() < 40


def test_a_half_seen_face_is_completed_by_its_mirror(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    mole = (np.hypot(points[:, 0] - 0.035, points[:, 1]) < 0.008) & (points[:, 2] > 0)
    twin = (np.hypot(points[:, 0] + 0.035, points[:, 1]) < 0.006) & (points[:, 2] > 0)
    colour[mole] = (90.0, 60.0, 50.0)
    weight = weight * (points[:, 0] > -0.015)
    done = complete(egg, atlas, colour, weight)
    assert done.trust[twin].max() == 0
    assert np.abs(done.colour[twin].mean(0) - [90, 60, 50]).max() < 25


@pytest.mark.parametrize("shows_teeth", [False, True])
def test_the_inside_of_the_mouth_is_dark_red(
    egg: HeadModel, seen: tuple, shows_teeth: bool
) -> None:
    atlas, points, colour, weight = seen
    mouth = egg.regions["lips"]
    head = replace(egg, regions={**egg.regions, "mouth_inside": mouth})
    inside = atlas.spread(mouth.astype(np.float32)) > 0.99
    colour[inside] = (240.0, 235.0, 225.0)
    done = complete(head, atlas, colour, weight * (~inside | shows_teeth))
    red, green, blue = done.colour[inside].mean(0)
    assert 40 < red < 110
    assert red > 1.5 * green
    assert red > 1.5 * blue
    assert done.trust[inside].max() < 0.02


def test_damaged_colours_count_as_unseen(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    spot = np.hypot(points[:, 0], points[:, 1]) < 0.004
    colour[spot] = np.nan
    done = complete(egg, atlas, colour, weight)
    assert done.filled.all()
    assert np.isfinite(done.colour).all()
    assert np.all(done.trust[spot] == 0)
    front = spot & (points[:, 2] > 0)
    assert np.abs(done.colour[front].mean(0) - SKIN).max() < 30


def test_hair_that_hangs_beside_the_face_is_hair_down_to_its_hem(
    egg: HeadModel, seen: tuple
) -> None:
    atlas, points, colour, weight = seen
    hair = egg.regions["hair"]
    hanging = egg.template.astype(float)
    hanging[hair & (hanging[:, 1] < 0.0), 1] -= 0.1
    rim = (points[:, 2] < -0.02) & (points[:, 1] < -0.031) & (points[:, 1] > -0.039)
    short = complete(egg, atlas, colour, weight, source=(egg.template, None)).colour
    long = complete(egg, atlas, colour, weight, source=(hanging, None)).colour
    assert rim.sum() > 20
    assert np.abs(long[rim].mean(0) - HAIR).max() < 30
    assert long[rim].mean() < short[rim].mean() - 15


def test_skin_seen_through_hanging_hair_is_not_trusted(egg: HeadModel, seen: tuple) -> None:
    atlas, points, colour, weight = seen
    scalp = egg.regions["hair"] | (
        (egg.template[:, 2] < 0.04) & (np.abs(egg.template[:, 1]) < 0.06)
    )
    low = replace(egg, topology_id="egg-low-hair", regions={**egg.regions, "hair": scalp})
    inside = (np.abs(points[:, 1] + 0.045) < 0.008) & (np.abs(points[:, 2] - 0.005) < 0.008)
    done = complete(low, atlas, colour, weight)
    assert inside.sum() > 10
    assert done.trust[inside].max() < 0.2


def test_clothes_go_on_below_the_photo(egg: HeadModel, seen: tuple) -> None:
    """Drawn out colour is shown without being trusted."""
    atlas, points, colour, weight = seen
    _, y, z = points.T
    neck = (y < -0.09) & (y > -0.115) & (z > 0.02)
    striped, hidden = colour.copy(), weight * ~neck
    striped[neck] = (20, 200, 220)
    below = neck.astype(np.float32)
    shown = complete(egg, atlas, striped, hidden, below=below)
    inner = neck & (region_texels(egg, atlas)["neck"] > 0.99)
    assert inner.sum() > 50
    assert np.abs(shown.colour[inner] - (20, 200, 220)).max() < 12
    assert shown.trust[inner].max() < 0.01
    skin = complete(egg, atlas, colour, hidden, below=below)
    without = complete(egg, atlas, colour, hidden)
    assert np.abs(skin.colour[inner] - without.colour[inner]).mean() < 3
