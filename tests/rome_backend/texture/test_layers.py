# SPDX-License-Identifier: Apache-2.0
"""Continuations of skin, hair and cloth over what no photo shows.

Does not test the photo's own part.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.layers import _tamed, layered_fill
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import palette_of, region_texels
from rome_backend.texture.surface_detail import SurfaceDetail

SIZE = 160
SKIN, HAIR, CLOTH = (205.0, 150.0, 125.0), (60.0, 45.0, 35.0), (30.0, 60.0, 140.0)


class Scene:
    """An egg seen from the front: skin, hair above and behind, cloth below a collar."""

    def __init__(self, egg: HeadModel, hair: tuple = HAIR, collar: float = -0.1) -> None:
        self.head, self.atlas = egg, atlas_of(egg, SIZE)
        self.points = self.atlas.spread(egg.template)
        self.regions = region_texels(egg, self.atlas)
        noise = np.random.default_rng(0).normal(0, 1.5, (len(self.points), 3))
        scalp = self.regions["hair"][:, None] > 0.5
        colour = np.where(scalp, hair, SKIN)
        colour = np.where(self.points[:, 1:2] < collar, CLOTH, colour) + noise
        self.colour = np.clip(colour, 0, 255).astype(np.float32)
        self.weight = (self.points[:, 2] > 0.02).astype(np.float32)

    def fill(self, seed: int = 0) -> np.ndarray:
        palette = palette_of(self.colour, self.weight, self.points, self.regions)
        seen = (self.colour, self.weight)
        fill = MeshFill(self.head)
        detail = SurfaceDetail.of(self.head, self.head.template, None, palette, seed)
        return layered_fill(self.head, self.atlas, fill, seen, self.regions, palette, detail)


@pytest.fixture(scope="module")
def scene(egg: HeadModel) -> Scene:
    return Scene(egg)


def test_each_material_goes_on_in_its_own_colour(scene: Scene) -> None:
    filled = scene.fill()
    x, y, z = scene.points.T
    back = z < -0.04
    for part, colour in (
        (back & (y > 0.0) & (y < 0.1), HAIR),
        (back & (y < -0.112), CLOTH),
        ((z > -0.005) & (z < 0.01) & (np.abs(y + 0.05) < 0.01), SKIN),
    ):
        assert part.sum() > 30
        assert np.abs(filled[part].mean(0) - colour).max() < 30


def test_between_hair_and_collar_the_neck_is_skin_or_cloth_not_a_mixture(scene: Scene) -> None:
    filled = scene.fill()
    x, y, z = scene.points.T
    nape = (z < -0.02) & (y < -0.05) & (y > -0.12)
    to_skin = np.abs(filled[nape] - SKIN).max(1)
    to_cloth = np.abs(filled[nape] - CLOTH).max(1)
    to_hair = np.abs(filled[nape] - HAIR).max(1)
    nearest = np.minimum(np.minimum(to_skin, to_cloth), to_hair)
    assert (nearest < 45).mean() > 0.85


def test_a_bald_head_stays_bald(egg: HeadModel) -> None:
    bald = Scene(egg, hair=SKIN)
    filled = bald.fill()
    back = (bald.points[:, 2] < -0.04) & (bald.points[:, 1] > 0)
    assert np.abs(filled[back].mean(0) - SKIN).max() < 20
    assert filled[back].std(0).max() < 12


def test_where_the_photo_is_the_fill_agrees_with_it(scene: Scene) -> None:
    filled = scene.fill()
    z = scene.points[:, 2]
    inner = (z > 0.05) & (np.abs(scene.points[:, 1]) < 0.05)
    assert np.abs(filled[inner] - scene.colour[inner]).mean() < 8


def test_only_hair_depends_on_the_seed(scene: Scene) -> None:
    first, other = scene.fill(0), scene.fill(1)
    y, z = scene.points[:, 1], scene.points[:, 2]
    assert np.abs(first - other)[(z < -0.05) & (y > 0.02)].mean() > 0.5
    assert np.abs(first - other)[(z > 0.03) & (y < -0.02)].max() < 1


def test_a_white_shirt_is_not_smeared_over_the_jacket(egg: HeadModel) -> None:
    """The fill beside and behind it is the jacket, the shirt itself ends with the photo."""
    scene = Scene(egg)
    x, y, z = scene.points.T
    shirt = (y < -0.1) & (np.abs(x) < 0.012) & (z > 0)
    scene.colour[shirt] = 250
    filled = scene.fill()
    beside = (y < -0.105) & (np.abs(x) > 0.02) & (z < 0.02)
    assert beside.sum() > 30 and filled[beside].max() < 175  # half way to the shirt's


def test_extremes_are_continued_as_what_is_usual(scene: Scene) -> None:
    """A bright rim at the end of the seen skin does not become the colour of the side."""
    lit = Scene(scene.head)
    x, y, z = lit.points.T
    rim = (z > 0.02) & (z < 0.035) & (lit.regions["hair"] < 0.5) & (y > -0.08)
    lit.colour[rim] = 255
    side = (z < 0.005) & (z > -0.01) & (np.abs(y + 0.05) < 0.012)
    assert rim.sum() > 100 and side.sum() > 30
    plain, rimmed = scene.fill()[side].mean(0), lit.fill()[side].mean(0)
    assert np.abs(rimmed - plain).max() < 45  # of 50 to 130 to white


def test_brightness_is_brought_within_a_range_round_the_median() -> None:
    grey = np.array([10.0, 100, 100, 110, 250, 90], np.float32)
    values = grey[:, None] * np.array([1.2, 1.0, 0.8], np.float32)
    known = np.array([1, 1, 1, 1, 1, 0], np.float32)
    found = _tamed(values, known, (0.7, 1.2))
    np.testing.assert_allclose(found.mean(1), [70, 100, 100, 110, 120, 90], rtol=1e-5)
    np.testing.assert_allclose(found[:, 0] / found[:, 2], 1.5, rtol=1e-5)  # same hue
    nothing = np.zeros(6, np.float32)
    assert _tamed(values, nothing, (0.7, 1.2)) is values
