# SPDX-License-Identifier: Apache-2.0
"""Tests of hard light: what shines at a slant loses its weight, everything else keeps it."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.glare import glare
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import between_lips_and_brows, palette_of, region_texels

SIZE = 160
SKIN, HAIR = (170.0, 120.0, 95.0), (60.0, 45.0, 35.0)


class Lit:
    """The egg seen from the front, less well towards its sides."""

    def __init__(self, egg: HeadModel) -> None:
        self.atlas = atlas_of(egg, SIZE)
        self.points = self.atlas.spread(egg.template)
        self.regions = region_texels(egg, self.atlas)
        self.fill = MeshFill(egg)
        scalp = self.regions["hair"][:, None] > 0.5
        noise = np.random.default_rng(0).normal(0, 2, (len(self.points), 3))
        self.colour = (np.where(scalp, HAIR, SKIN) + noise).astype(np.float32)
        z = self.points[:, 2]
        self.weight = np.clip((z - 0.02) / 0.06, 0, 1).astype(np.float32)
        self.face = (1 - self.regions["hair"] - self.regions["neck"]) > 0.9
        self.slanted = (self.weight > 0.05) & (self.weight < 0.4)

    def found(self) -> np.ndarray:
        palette = palette_of(self.colour, self.weight, self.points, self.regions)
        cheeks = between_lips_and_brows(self.points, self.regions)
        seen = (self.colour, self.weight)
        return glare(self.atlas, self.fill, cheeks, seen, self.regions, palette)


@pytest.fixture
def lit(egg: HeadModel) -> Lit:
    return Lit(egg)


def test_an_evenly_lit_head_keeps_everything(lit: Lit) -> None:
    assert lit.found().max() < 0.2


def test_a_bright_rim_is_glare_at_a_slant_only(lit: Lit) -> None:
    left = lit.points[:, 0] > 0
    lit.colour[left & lit.face] = 235
    found = lit.found()
    rim = lit.slanted & lit.face
    assert (rim & left).sum() > 50 and found[rim & left].min() > 0.9
    assert found[rim & ~left].max() < 0.2
    assert found[lit.weight > 0.9].max() == 0


def test_the_backgrounds_tint_is_glare_but_not_on_hair_or_in_a_shadow(lit: Lit) -> None:
    left = lit.points[:, 0] > 0
    rim = lit.slanted & lit.face & left
    plain = lit.colour.copy()
    lit.colour[rim] = (115, 130, 160)  # as light as the skin, but blue
    assert lit.found()[rim].min() > 0.8
    lit.colour[:] = plain
    lit.colour[rim] = (30, 35, 60)
    assert lit.found()[rim].max() < 0.05


def test_a_shadowed_side_stays(lit: Lit) -> None:
    lit.colour[lit.points[:, 0] > 0.01] *= 0.4
    found = lit.found()
    assert found[(lit.points[:, 0] > 0.02) & lit.face].max() < 0.05


def test_light_in_the_hair_is_glare_where_it_is_hard(lit: Lit) -> None:
    hair = lit.slanted & (lit.regions["hair"] > 0.95) & (lit.points[:, 0] > 0)
    assert hair.sum() > 30
    lit.colour[hair] = np.array(HAIR) + 20
    assert lit.found()[hair].max() < 0.3
    lit.colour[hair] = 220
    assert lit.found()[hair].min() > 0.8


def test_a_window_on_the_shoulders_is_glare_but_a_pale_garment_is_not(lit: Lit) -> None:
    neck = lit.regions["neck"] > 0.95
    shoulder = neck & (lit.points[:, 1] < -0.09) & (lit.weight < 0.6)
    lit.regions["shoulders"] = shoulder.astype(np.float32)
    lit.colour[neck] = (50.0, 60.0, 75.0)
    assert lit.found()[shoulder].max() < 0.1
    rim = shoulder & lit.slanted & (lit.points[:, 0] > 0)
    lit.colour[rim] = 225
    found = lit.found()
    assert rim.sum() > 30 and found[rim].min() > 0.8
    assert found[shoulder & ~rim].max() < 0.3
    lit.colour[neck] = 225
    assert lit.found()[shoulder].max() < 0.1


def test_clothes_and_a_face_that_is_not_seen_are_left_alone(lit: Lit) -> None:
    neck = lit.regions["neck"] > 0.95
    lit.colour[neck] = 250
    assert lit.found()[neck].max() < 0.1
    lit.weight[:] = 0
    assert lit.found()[lit.face].max() == 0


def test_a_garment_that_no_texel_shows_for_sure_is_no_measure(lit: Lit) -> None:
    neck = lit.regions["neck"] > 0.95
    lit.weight[neck] = 1
    lit.colour[neck] = (50.0, 60.0, 75.0)
    lit.regions["neck"] = 0.4 * lit.regions["neck"]
    lit.regions["shoulders"] = neck.astype(np.float32)
    assert np.isfinite(lit.found()).all()
