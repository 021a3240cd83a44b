# SPDX-License-Identifier: Apache-2.0
"""Tests of where clothes end and what colour they go on in.

Draws nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.cloth import (
    cloth_colour,
    cloth_share,
    drawn_out_material,
    stray_on_neck,
)
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import palette_of, region_texels

SIZE = 160
SKIN, HAIR, JACKET, TIE = (205.0, 150, 125), (60.0, 45, 35), (30.0, 60, 140), (230.0, 230, 40)
COLLAR = -0.1


class Bust:
    """An egg seen from the front: skin, a jacket below the collar and a tie in its middle."""

    def __init__(self, egg: HeadModel) -> None:
        self.head, self.atlas = egg, atlas_of(egg, SIZE)
        self.points = self.atlas.spread(egg.template)
        self.regions = region_texels(egg, self.atlas)
        x, y, z = self.points.T
        colour = np.where(self.regions["hair"][:, None] > 0.5, HAIR, SKIN)
        colour = np.where((y < COLLAR)[:, None], JACKET, colour)
        colour = np.where(((y < COLLAR) & (np.abs(x) < 0.012))[:, None], TIE, colour)
        self.colour = colour.astype(np.float32)
        self.weight = (z > 0.02).astype(np.float32)
        self.palette = palette_of(self.colour, self.weight, self.points, self.regions)

    def share(self, head: HeadModel) -> np.ndarray:
        bare, neck = self.palette.skin_likeness, self.regions["neck"]
        return cloth_share(head, self.atlas, MeshFill(head), self.weight, bare, neck)


@pytest.fixture(scope="module")
def bust(egg: HeadModel) -> Bust:
    return Bust(egg)


def test_cloth_lies_where_the_photo_shows_it(bust: Bust) -> None:
    share = bust.share(bust.head)
    seen = bust.weight > 0.5
    y = bust.points[:, 1]
    assert share[seen & (y < COLLAR - 0.01)].mean() > 0.9
    assert share[seen & (y > COLLAR + 0.02)].max() < 0.1


def test_behind_it_ends_on_the_shoulders(bust: Bust) -> None:
    egg = bust.head
    low = replace(egg, regions={**egg.regions, "shoulders": egg.template[:, 1] < -0.115})
    high = replace(egg, regions={**egg.regions, "shoulders": egg.template[:, 1] < -0.085})
    behind = (bust.points[:, 2] < -0.02) & (bust.regions["neck"] > 0.9)
    assert bust.share(low)[behind].sum() < bust.share(high)[behind].sum()
    assert bust.share(high)[behind & (bust.points[:, 1] < -0.12)].min() > 0.9


def test_bare_shoulders_stay_bare(egg: HeadModel) -> None:
    bare = Bust(egg)
    bare.palette = replace(bare.palette, skin_likeness=np.ones(len(bare.points), np.float32))
    assert bare.share(egg).max() < 0.05


def test_the_garment_is_what_lies_outside_the_tie(bust: Bust) -> None:
    seen = (bust.colour, bust.weight)
    chosen, colour = cloth_colour(bust.head, bust.atlas, seen, bust.regions, bust.palette, False)
    assert np.abs(colour - JACKET).max() < 5
    assert chosen[bust.points[:, 1] > COLLAR + 0.02].max() < 0.1
    low = (bust.weight > 0.5) & (bust.points[:, 1] < COLLAR - 0.005)
    tie = np.abs(bust.points[:, 0]) < 0.012
    assert chosen[low & ~tie].min() > 0.5
    assert low[tie].any() and chosen[low & tie].max() < 0.05  # it is not carried on


def test_long_hair_on_the_shoulders_is_no_garment(egg: HeadModel) -> None:
    bust = Bust(egg)
    x, y, _ = bust.points.T
    locks = (y < COLLAR) & (np.abs(x) > 0.028)
    bust.colour[locks] = HAIR
    likeness = bust.palette.hair_likeness.copy()
    likeness[locks] = 1
    palette = replace(bust.palette, hair_likeness=likeness)
    seen = (bust.colour, bust.weight)
    long = cloth_colour(egg, bust.atlas, seen, bust.regions, palette, True)
    assert np.abs(long[1] - HAIR).max() > 40
    assert long[0][locks].max() == 0


def test_without_cloth_it_is_plain_grey(bust: Bust) -> None:
    seen = (bust.colour, np.zeros_like(bust.weight))
    _, colour = cloth_colour(bust.head, bust.atlas, seen, bust.regions, bust.palette, False)
    assert np.ptp(colour) < 15


def test_what_is_no_skin_high_on_the_neck_is_stray_and_the_collar_is_not(bust: Bust) -> None:
    egg = bust.head
    bare = bust.palette.skin_likeness.copy()
    x, y, _ = bust.points.T
    neck = (egg.template[:, 1] < -0.02) & ~egg.regions["hair"]
    shoulders = egg.template[:, 1] < -0.125
    tall = replace(egg, regions={**egg.regions, "neck": neck, "shoulders": shoulders})
    on_neck = region_texels(tall, bust.atlas)["neck"]
    earring = (bust.weight > 0.5) & (np.abs(y + 0.04) < 0.01) & (x > 0.03) & (on_neck > 0.9)
    bare[earring] = 0
    stray = stray_on_neck(tall, bust.atlas, bust.weight, bare, on_neck)
    assert earring.sum() > 10
    assert stray[earring].mean() > 0.5
    assert stray[(y < COLLAR)].max() < 0.2
    assert stray[(bare > 0.99)].max() < 0.02


def test_nothing_is_stray_where_nothing_is_seen(bust: Bust) -> None:
    unseen = np.zeros_like(bust.weight)
    bare, neck = bust.palette.skin_likeness, bust.regions["neck"]
    assert stray_on_neck(bust.head, bust.atlas, unseen, bare, neck).max() == 0


@pytest.fixture
def tall(bust: Bust) -> HeadModel:
    """The egg with a neck up to its middle, on shoulders below the jacket's collar."""
    egg = bust.head
    neck = (egg.template[:, 1] < -0.02) & ~egg.regions["hair"]
    return replace(
        egg, regions={**egg.regions, "neck": neck, "shoulders": egg.template[:, 1] < -0.125}
    )


def test_a_beard_above_the_collar_makes_no_cloth_under_the_jaw(bust: Bust, tall: HeadModel) -> None:
    y, z = bust.points[:, 1], bust.points[:, 2]
    bare, neck = bust.palette.skin_likeness.copy(), region_texels(tall, bust.atlas)["neck"]
    beard = (np.abs(y + 0.045) < 0.012) & (z > 0.02)
    bare[beard] = 0
    share = cloth_share(tall, bust.atlas, MeshFill(tall), bust.weight, bare, neck)
    assert beard.sum() > 100 and share[beard].max() < 0.1
    assert share[(bust.weight > 0.5) & (y < COLLAR - 0.01)].mean() > 0.9


class Cut:
    """A bust whose photo ends at a height: skin between two halves of a jacket."""

    def __init__(self, bust: Bust) -> None:
        self.bust = bust
        x, y, z = bust.points.T
        front = z > 0.02
        self.seen = (front & (y > -0.03)).astype(np.float32)
        self.below = (front & (y <= -0.03)).astype(np.float32)
        self.skin = np.abs(x) < 0.025

    def share(self, bare: np.ndarray) -> np.ndarray:
        fill = MeshFill(self.bust.head)
        bare = bare.astype(np.float32)
        return drawn_out_material(self.bust.atlas, fill, self.seen, self.below, bare)


def test_cloth_goes_on_below_a_photo_and_skin_ends_in_a_neckline(bust: Bust) -> None:
    cut = Cut(bust)
    share = cut.share(cut.skin)
    x, y, _ = bust.points.T
    beneath = cut.below > 0
    assert share[beneath & (np.abs(x) > 0.04)].min() > 0.9
    middle = beneath & (np.abs(x) < 0.004)
    assert share[middle & (y > -0.04)].min() > 0.9
    assert share[middle & (y < -0.1)].max() < 0.1
    reaches = [
        -y[beneath & (np.abs(np.abs(x) - at) < 0.003) & cut.skin & (share > 0.5)].min()
        for at in (0.0, 0.019)
    ]
    assert reaches[0] > reaches[1] + 0.001  # deepest in its middle


def test_a_pendant_below_a_photo_is_not_drawn_out(bust: Bust) -> None:
    cut = Cut(bust)
    x, y, _ = bust.points.T
    pendant = cut.skin & (np.abs(x - 0.0052) < 0.0025) & (np.abs(y + 0.07) < 0.015)
    share = cut.share(cut.skin & ~pendant)
    assert (pendant * cut.below).sum() > 20
    assert share[pendant & (cut.below > 0)].max() < 0.4
