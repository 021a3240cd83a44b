# SPDX-License-Identifier: Apache-2.0
"""Tests of what a head is made of: gloss and relief by region and colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.materials import materials_of

SKIN, DARK = (200, 150, 125), (40, 60, 140)


@pytest.fixture(scope="module")
def dressed(egg: HeadModel) -> HeadModel:
    """The egg with a nose and a left eyeball."""
    x, y, z = egg.template.T
    extra = {
        "nose": (np.abs(x) < 0.015) & (np.abs(y) < 0.02) & (z > 0),
        "left_eyeball": (np.abs(x - 0.05) < 0.012) & (np.abs(y - 0.05) < 0.012) & (z > 0),
    }
    return replace(egg, topology_id="dressed-egg", regions={**egg.regions, **extra})


def _albedo(head: HeadModel, dark: np.ndarray) -> np.ndarray:
    """Skin everywhere but where the vertices of a mask lie."""
    atlas = atlas_of(head, 128)
    share = atlas.spread(dark.astype(np.float32))[:, None]
    image = np.full((128 * 128, 3), SKIN, np.uint8)
    image[atlas.texel] = (np.array(SKIN) * (1 - share) + np.array(DARK) * share).astype(np.uint8)
    return image.reshape(128, 128, 3)


def test_skin_nose_lips_and_eyes_shine_in_this_order(dressed: HeadModel) -> None:
    plain = np.zeros(len(dressed.template), bool)
    found = materials_of(dressed, atlas_of(dressed, 128), _albedo(dressed, plain))
    regions = dressed.regions
    x, y, z = dressed.template.T
    cheek = regions["face"] & (np.abs(x) > 0.035) & (y < 0)
    rough = [found.roughness[part].mean() for part in (cheek, regions["nose"], regions["lips"])]
    assert 0.45 < rough[0] < 0.6 and rough[0] > rough[1] + 0.03 and rough[1] > rough[2] + 0.01
    ball = regions["left_eyeball"]
    assert ball.any() and (found.roughness[ball] == 0.12).all() and not found.relief[ball].any()
    assert (found.relief[cheek] > 0).all() and (found.polish >= 0).all()


def test_what_has_not_the_colour_of_skin_is_cloth_on_the_neck_and_hair_on_the_scalp(
    dressed: HeadModel,
) -> None:
    regions = dressed.regions
    low = regions["neck"] & (dressed.template[:, 1] < -0.1)
    top = regions["hair"] & (dressed.template[:, 1] > 0.1)
    other = regions["neck"] | regions["hair"]
    clothed = materials_of(dressed, atlas_of(dressed, 128), _albedo(dressed, other))
    bare = materials_of(dressed, atlas_of(dressed, 128), _albedo(dressed, other & False))
    assert clothed.roughness[low].min() > 0.75 and bare.roughness[low].max() < 0.6
    assert clothed.roughness[top].max() < 0.5 < bare.roughness[top].min()


def test_a_head_model_without_regions_is_skin_and_hair(egg: HeadModel) -> None:
    few = {name: egg.regions[name] for name in ("hair", "neck", "face")}
    head = replace(egg, regions=few, topology_id="egg-of-few-regions")
    found = materials_of(head, atlas_of(head, 64), np.full((64, 64, 3), SKIN, np.uint8))
    assert np.isfinite(found.roughness).all() and 0.4 < found.roughness.min()
