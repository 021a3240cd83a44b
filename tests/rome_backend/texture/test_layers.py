# SPDX-License-Identifier: Apache-2.0
"""Continuations of skin, hair and cloth over what no photo shows.

Does not test the photo's own part.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.layers import layered_fill
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
