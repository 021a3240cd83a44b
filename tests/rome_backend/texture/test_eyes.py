# SPDX-License-Identifier: Apache-2.0
"""Eyeballs: whole, round irises and plausible whites from a slit of photo.

Does not test lids.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.eyes import complete_eyes

RADIUS = 0.012
SKIN = np.float32([190, 140, 120])
BLUE, WHITE = np.float32([70, 110, 170]), np.float32([214, 210, 208])


@pytest.fixture(scope="module")
def eyes(egg: HeadModel) -> HeadModel:
    """Two spheres laid out like the egg, left and right."""
    unit = egg.template - egg.template.mean(0)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    count = len(unit)
    centre = np.array([0.032, 0, 0])
    uvs = egg.uvs * [0.5, 1]
    side = np.arange(2 * count) < count
    return replace(
        egg,
        topology_id="two eyes",
        template=np.r_[unit * RADIUS + centre, unit * RADIUS - centre].astype(np.float32),
        faces=np.r_[egg.faces, egg.faces + count].astype(np.int32),
        uvs=np.r_[uvs, uvs + [0.5, 0]].astype(np.float32),
        uv_faces=np.r_[egg.uv_faces, egg.uv_faces + len(uvs)].astype(np.int32),
        regions={"left_eyeball": side, "right_eyeball": ~side},
    )


def painted(eyes: HeadModel) -> tuple:
    """True colours of all texels, angles from the front in iris radii, and heights."""
    atlas = atlas_of(eyes, 256)
    points = atlas.spread(eyes.template)
    away = points - np.where(points[:, :1] > 0, 0.032, -0.032) * np.float32([1, 0, 0])
    away = away / np.linalg.norm(away, axis=1, keepdims=True)
    radius = np.arccos(np.clip(away[:, 2], -1, 1)) / np.arcsin(0.0059 / RADIUS)
    colour = np.where(radius[:, None] < 1, BLUE, WHITE)
    colour = np.where(radius[:, None] < 0.35, 10, colour).astype(np.float32)
    return atlas, colour, radius, away


def test_a_slit_becomes_a_whole_eye(eyes: HeadModel) -> None:
    atlas, colour, radius, away = painted(eyes)
    slit = (np.abs(away[:, 1]) < 0.22) & (away[:, 2] > 0.6)
    done, texels = complete_eyes(eyes, atlas, colour, slit.astype(np.float32), SKIN)
    assert np.array_equal(np.sort(texels), np.arange(len(colour)))
    result = np.empty_like(colour)
    result[texels] = done
    iris = (radius > 0.5) & (radius < 0.85)
    hidden = iris & ~slit
    assert hidden.sum() > 50
    assert np.abs(result[hidden].mean(0) - BLUE).max() < 35
    assert result[radius < 0.2].max() < 60
    below = (radius > 1.3) & (away[:, 1] < 0)
    assert result[below].mean() > 130
    assert np.ptp(result[below].mean(0)) < 25
    assert np.abs(result[slit & iris] - colour[slit & iris]).mean() < 12


def test_unseen_eyes_are_dark_irises_in_sclera_darker_than_the_skin(eyes: HeadModel) -> None:
    atlas, colour, radius, away = painted(eyes)
    nothing = np.zeros(len(colour), np.float32)
    low = (radius > 1.3) & (away[:, 1] < 0)
    whites = []
    for skin in (SKIN, 0.5 * SKIN):
        done, texels = complete_eyes(eyes, atlas, 0 * colour, nothing, skin)
        result = np.empty_like(colour)
        result[texels] = done
        assert result[radius < 0.9].mean() < 90
        whites.append(result[low].mean())
    assert 0.55 * SKIN.mean() < whites[0] < SKIN.mean()
    assert whites[1] < 0.7 * whites[0]


def test_lashes_shade_the_eye_and_are_no_patches_on_it(eyes: HeadModel) -> None:
    atlas, colour, radius, away = painted(eyes)
    bare, texels = complete_eyes(eyes, atlas, colour, (away[:, 2] > 0.5).astype(np.float32), SKIN)
    colour[away[:, 1] > 0.2] = (60, 30, 20)  # lashes over the upper part
    seen = (away[:, 2] > 0.5).astype(np.float32)
    done, texels = complete_eyes(eyes, atlas, colour, seen, SKIN)
    result, plain = np.empty_like(colour), np.empty_like(colour)
    result[texels], plain[texels] = done, bare
    white = (radius > 1.2) & (radius < 2) & (away[:, 2] > 0.6)
    upper, lower = white & (away[:, 1] > 0.45), white & (away[:, 1] < -0.3)
    assert result[upper].mean() < 0.75 * plain[upper].mean()
    assert result[lower].mean() > 0.9 * plain[lower].mean()
    assert result[upper].mean() > 1.1 * np.mean((60, 30, 20))


def test_shade_continues_under_the_lid_without_an_edge(eyes: HeadModel) -> None:
    atlas, colour, radius, away = painted(eyes)
    shade = np.clip(1 - 1.6 * np.maximum(away[:, 1], 0), 0.3, 1)[:, None]
    seen = (away[:, 1] < 0.3) & (away[:, 1] > -0.3) & (away[:, 2] > 0.6)
    done, texels = complete_eyes(eyes, atlas, colour * shade, seen.astype(np.float32), SKIN)
    result = np.empty_like(colour)
    result[texels] = done
    white = (radius > 1.2) & (radius < 1.9)
    below, above = (
        result[white & (away[:, 1] > low) & (away[:, 1] < low + 0.06)].mean()
        for low in (0.22, 0.32)
    )
    assert above < result[white & (np.abs(away[:, 1]) < 0.05)].mean() - 30
    assert abs(above - below) < 25


def test_a_head_without_eyeballs_has_none(egg: HeadModel) -> None:
    atlas = atlas_of(egg, 64)
    colour = np.zeros((len(atlas.texel), 3), np.float32)
    done, texels = complete_eyes(egg, atlas, colour, colour[:, 0], SKIN)
    assert len(done) == len(texels) == 0
