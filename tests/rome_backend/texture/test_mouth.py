# SPDX-License-Identifier: Apache-2.0
"""Tests of the painted mouth and of lips that a smile's teeth were on.

Knows no photo; heads are the egg with a mouth's regions drawn on it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.mouth import light_of, lips_alone, painted_mouth
from rome_backend.texture.palette import region_texels

SIZE = 160
BRIGHT, DIM = np.full(3, 165.0, np.float32), np.full(3, 110.0, np.float32)
LIPS = np.array([170.0, 90, 88], np.float32)
SKIN = np.array([215.0, 163, 142], np.float32)


@pytest.fixture(scope="module")
def mouthed(egg: HeadModel) -> HeadModel:
    """The egg with bands of gums, teeth, tongue and bag across its front, from above."""
    x, y, z = egg.template.T
    front = z > 0.0
    bands = {
        name: front & (y >= low) & (y < low + 0.03)
        for name, low in (
            ("gums", 0.03),
            ("teeth", 0.0),
            ("tongue", -0.03),
            ("mouth_inside", -0.06),
        )
    }
    return replace(egg, topology_id="egg-with-a-mouth", regions={**egg.regions, **bands})


def paint(
    head: HeadModel, skin: np.ndarray, seen: np.ndarray | None = None
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Mean colour of each part in front, and the z of every painted texel with its colour (Q, 4).

    seen: a colour (3,) that the photo shows on the teeth, None for nothing.
    """
    atlas = atlas_of(head, SIZE)
    regions = region_texels(head, atlas)
    around = np.tile(LIPS, (len(atlas.texel), 1))
    shown = around if seen is None else np.tile(np.float32(seen), (len(around), 1))
    weight = np.full(len(around), float(seen is not None), np.float32)
    colour, texels = painted_mouth(
        head, atlas, MeshFill(head), regions, skin, (shown, weight), around
    )
    z = atlas.spread(head.template)[texels, 2]
    teeth = regions["teeth"][texels] > 0.95
    front = z > z[teeth].max() - 0.012
    parts = {
        name: colour[(regions[name][texels] > 0.95) & front].mean(0)
        for name in ("teeth", "gums", "tongue", "mouth_inside")
    }
    return parts, np.c_[z, colour][teeth]


def test_teeth_are_bright_gums_and_tongue_red_the_bag_dark(mouthed: HeadModel) -> None:
    parts, _ = paint(mouthed, BRIGHT)
    assert parts["teeth"].mean() > parts["gums"].mean() + 20
    assert parts["gums"][0] > parts["gums"][1] + 30
    assert parts["tongue"][0] > parts["tongue"][1] + 30
    assert parts["mouth_inside"].max() < 100


def test_teeth_are_warm_in_the_light_that_skin_tells_of(mouthed: HeadModel) -> None:
    fair, _ = paint(mouthed, SKIN)
    assert fair["teeth"][0] > fair["teeth"][1] > fair["teeth"][2]
    lamp, _ = paint(mouthed, SKIN * np.float32([1.0, 0.8, 0.6]))
    assert lamp["teeth"][2] / lamp["teeth"][0] < 0.85 * fair["teeth"][2] / fair["teeth"][0]


def test_the_mouth_is_lit_as_the_skin_is(mouthed: HeadModel) -> None:
    bright, _ = paint(mouthed, BRIGHT)
    dim, _ = paint(mouthed, DIM)
    np.testing.assert_allclose(dim["teeth"] / bright["teeth"], 110 / 165, rtol=0.02)
    assert light_of(np.full(3, 1.0)).min() > 0.3  # dark skin has no black teeth


def test_teeth_have_the_photos_colour_unless_lips_lie_there(mouthed: HeadModel) -> None:
    usual, _ = paint(mouthed, SKIN)
    yellow, _ = paint(mouthed, SKIN, np.array([190.0, 170, 115]))
    assert yellow["teeth"][2] < usual["teeth"][2] - 15
    for other in (LIPS, np.array([60.0, 30, 28])):
        assert np.allclose(paint(mouthed, SKIN, other)[0]["teeth"], usual["teeth"])


def test_the_lining_begins_with_the_lips_colour(mouthed: HeadModel) -> None:
    y = mouthed.template[:, 1]
    rim = (mouthed.template[:, 2] > 0) & (y > -0.075) & (y < -0.055)
    inside = mouthed.regions["mouth_inside"] & ~rim
    regions = {**mouthed.regions, "lips": rim, "mouth_inside": inside}
    small = 0.3 * mouthed.template
    head = replace(mouthed, topology_id="egg-with-a-rim", regions=regions, template=small)
    atlas = atlas_of(head, SIZE)
    regions = region_texels(head, atlas)
    around = np.tile(LIPS, (len(atlas.texel), 1))
    nothing = (around, np.zeros(len(around), np.float32))
    colour, texels = painted_mouth(head, atlas, MeshFill(head), regions, BRIGHT, nothing, around)
    inside = regions["mouth_inside"][texels] > 0.5
    height = atlas.spread(head.template)[texels][:, 1]
    near, far = inside & (height < -0.3 * 0.051), inside & (height > -0.3 * 0.038)
    assert colour[near, 0].max() > 0.7 * LIPS[0]
    assert colour[near, 0].mean() > 1.5 * colour[far, 0].mean()
    assert colour[far].mean() < 0.6 * LIPS.mean()


def test_back_teeth_are_darker(mouthed: HeadModel) -> None:
    _, teeth = paint(mouthed, BRIGHT)
    order = teeth[np.argsort(teeth[:, 0])]
    assert order[:50, 1].mean() < 0.7 * order[-50:, 1].mean()


def test_a_head_without_a_mouth_is_left_alone(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    around = np.zeros((len(atlas.texel), 3), np.float32)
    regions = region_texels(egg, atlas)
    colour, texels = painted_mouth(
        egg, atlas, MeshFill(egg), regions, BRIGHT, (around, around[:, 0]), around
    )
    assert colour.shape == (0, 3)
    assert len(texels) == 0


@pytest.fixture(scope="module")
def lipped(egg: HeadModel) -> tuple:
    """The egg with large lips, its atlas, and the lips' mask on the texels."""
    x, y, z = egg.template.T
    lips = (z > 0.03) & (np.abs(y + 0.02) < 0.03)
    head = replace(egg, topology_id="egg-with-lips", regions={**egg.regions, "lips": lips})
    atlas = atlas_of(head, SIZE)
    return head, atlas, region_texels(head, atlas)["lips"], atlas.spread(head.template)


def test_teeth_on_the_lips_are_painted_over_and_the_rest_stays(lipped: tuple) -> None:
    head, atlas, lips, points = lipped
    colour = np.tile(LIPS, (len(lips), 1))
    colour += np.random.default_rng(0).normal(0, 2, colour.shape).astype(np.float32)
    teeth = (np.abs(points[:, 1] + 0.02) < 0.005) & (lips > 0.9) & (np.abs(points[:, 0]) < 0.04)
    gap = (np.abs(points[:, 1] + 0.03) < 0.003) & (lips > 0.9) & (np.abs(points[:, 0]) < 0.04)
    colour[teeth], colour[gap] = (235, 230, 220), (20, 10, 10)
    before = colour.copy()
    done = lips_alone(head, atlas, MeshFill(head), colour, np.ones_like(lips), lips)
    assert teeth.sum() > 20
    assert np.abs(done[teeth] - LIPS).max() < 25
    assert np.abs(done[gap] - LIPS).max() < 25
    calm = ~(teeth | gap)
    assert np.abs(done - before)[calm].max() < 1
    assert np.array_equal(colour, before)


def test_lips_that_no_photo_shows_are_left_alone(lipped: tuple) -> None:
    head, atlas, lips, _ = lipped
    colour = np.full((len(lips), 3), 200, np.float32)
    done = lips_alone(head, atlas, MeshFill(head), colour, np.zeros_like(lips), lips)
    assert done is colour
