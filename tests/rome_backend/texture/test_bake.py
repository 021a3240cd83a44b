# SPDX-License-Identifier: Apache-2.0
"""Whole textures of synthetic heads: nothing empty, no seams, honest confidence, same each time.

Does not test real photos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.core.errors import UsageError
from rome_backend.core.types import HeadModel
from rome_backend.render.texture import sample_texture
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.bake import BakedTexture, bake

SIZE = 256


def at(texture: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    image = torch.as_tensor(texture).permute(2, 0, 1).float()[None]
    return sample_texture(image, torch.as_tensor(uvs).float()[None])[0].numpy()


@pytest.fixture(scope="module")
def front(egg: HeadModel, photograph) -> BakedTexture:
    return bake(egg, [photograph(0)], SIZE)


def test_what_the_photo_showed_is_kept(egg: HeadModel, front, paint, psnr) -> None:
    sure = front.confidence > 100
    assert sure.mean() > 0.15
    assert psnr(front.albedo[sure], paint(SIZE)[sure]) > 32


def test_confidence_is_zero_at_the_back_and_outside_the_islands(egg: HeadModel, front) -> None:
    atlas = atlas_of(egg, SIZE)
    z = atlas.image(atlas.spread(egg.template)[:, 2])
    assert front.confidence.dtype == np.uint8
    assert np.all(front.confidence[(z < -0.005) & atlas.covered] == 0)
    assert np.all(front.confidence[~atlas.covered] == 0)
    assert front.confidence[z > 0.09].min() > 240


def test_no_texel_is_empty_and_the_padding_repeats_its_neighbours(egg: HeadModel, front) -> None:
    covered = atlas_of(egg, SIZE).covered
    assert front.empty_texels == 0
    assert front.albedo.shape == (SIZE, SIZE, 3)
    assert front.albedo.reshape(-1, 3).max(1).min() > 0
    rows, columns = np.nonzero(~covered)
    assert len(rows)
    left = covered[128].argmax()
    outside = front.albedo[128, :left].astype(int)
    assert np.abs(outside - front.albedo[128, left]).max() < 16  # closing the cut moves some


def test_the_unseen_back_is_hair_coloured(egg: HeadModel, front) -> None:
    atlas = atlas_of(egg, SIZE)
    points = atlas.spread(egg.template)
    back = (points[:, 2] < -0.06) & (points[:, 1] > 0.02)
    shown = front.albedo.reshape(-1, 3)[atlas.texel][back].astype(float)
    assert np.abs(shown.mean(0) - [80, 58, 40]).max() < 25


def test_both_sides_of_a_uv_cut_agree(egg: HeadModel, front) -> None:
    pairs = np.unique(np.c_[egg.faces.ravel(), egg.uv_faces.ravel()], axis=0)
    twice = pairs[:-1][pairs[:-1, 0] == pairs[1:, 0]]
    other = pairs[1:][pairs[:-1, 0] == pairs[1:, 0]]
    assert len(twice) > 20
    texel = np.array([1 / SIZE, 0])

    def inside(uvs: np.ndarray) -> np.ndarray:
        return uvs + np.where(uvs[:, :1] < 0.5, 0.5, -0.5) * texel

    first, second = inside(egg.uvs[twice[:, 1]]), inside(egg.uvs[other[:, 1]])
    gap = np.abs(at(front.albedo, first) - at(front.albedo, second)).max(1)
    beside = np.where(first[:, :1] < 0.5, first + 4 * texel, first - 4 * texel)
    ordinary = np.abs(at(front.albedo, beside) - at(front.albedo, beside + texel)).max(1)
    gap = np.sort(gap)[:-1]  # the ragged hairline crosses the cut once
    assert gap.mean() < 1.3 * ordinary.mean() + 1  # strands change from texel to texel anyway


def test_the_hidden_half_mirrors_the_seen_one(egg: HeadModel, photograph, paint, psnr) -> None:
    truth = paint(512, symmetric=True)
    baked = bake(egg, [photograph(50, albedo=truth)], SIZE)
    atlas = atlas_of(egg, SIZE)
    points = atlas.spread(egg.template)
    known = baked.confidence.reshape(-1)[atlas.texel]
    face = (points[:, 2] > 0.05) & (points[:, 0] < -0.02) & (np.abs(points[:, 1]) < 0.05)
    hidden = face & (known == 0)
    assert hidden.sum() > 200
    expected = paint(SIZE, symmetric=True).reshape(-1, 3)[atlas.texel]
    shown = baked.albedo.reshape(-1, 3)[atlas.texel]
    assert psnr(shown[hidden], expected[hidden]) > 26


def test_same_input_and_seed_give_the_same_texture(egg: HeadModel, photograph, front) -> None:
    again = bake(egg, [photograph(0)], SIZE)
    assert np.array_equal(front.albedo, again.albedo)
    assert np.array_equal(front.confidence, again.confidence)
    other = bake(egg, [photograph(0)], SIZE, seed=1)
    assert not np.array_equal(front.albedo, other.albedo)
    sure = front.confidence > 200
    assert np.array_equal(front.albedo[sure], other.albedo[sure])


def test_a_second_photo_adds_what_the_first_did_not_show(
    egg: HeadModel, photograph, front, paint, psnr
) -> None:
    both = bake(egg, [photograph(0), photograph(75, gain=0.85)], SIZE)
    more = (both.confidence > 150) & (front.confidence < 20)
    assert more.mean() > 0.05
    assert np.all(both.confidence.astype(int) >= front.confidence.astype(int) - 40)
    assert psnr(both.albedo[more], paint(SIZE)[more]) > 24
    darker = bake(egg, [photograph(75, gain=0.85)], SIZE)
    bright = paint(SIZE)[more].mean()
    assert abs(both.albedo[more].mean() - bright) < abs(darker.albedo[more].mean() - bright)


def test_a_photo_that_shows_nothing_still_gives_a_whole_texture(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    blind = replace(view, matte=np.zeros_like(view.matte))
    baked = bake(egg, [blind], 128)
    assert baked.empty_texels == 0
    assert baked.confidence.max() == 0
    assert baked.albedo.reshape(-1, 3).max(1).min() > 0


def test_eyeballs_are_white_round_a_dark_iris(small_head: HeadModel, photograph) -> None:
    view = photograph(0)
    vertices = small_head.template.astype(float)
    view = replace(view, vertices=vertices, landmark_shift=np.zeros((len(vertices), 2)))
    baked = bake(small_head, [view], 256)
    atlas = atlas_of(small_head, 256)
    ball = atlas.spread(small_head.regions["left_eyeball"].astype(np.float32)) > 0.5
    shown = baked.albedo.reshape(-1, 3)[atlas.texel][ball].astype(float)
    assert shown.mean(1).max() > 120
    assert shown.mean(1).min() < 80


def test_delighting_flattens_a_side_light(egg: HeadModel, photograph) -> None:
    u = (np.arange(512) + 0.5) / 512
    albedo = np.full((512, 512, 3), [190.0, 140.0, 115.0]) * (0.75 + 0.5 * u)[None, :, None]
    atlas = atlas_of(egg, SIZE)
    points = atlas.spread(egg.template)
    face = (points[:, 2] > 0.05) & (np.abs(points[:, 1]) < 0.05)
    slopes = []
    for delight in (False, True):
        baked = bake(egg, [photograph(0, albedo=albedo)], SIZE, delight=delight)
        shown = baked.albedo.reshape(-1, 3)[atlas.texel][face].mean(1)
        slopes.append(np.polyfit(points[face, 0], shown, 1)[0])
    assert 0 < slopes[1] < 0.7 * slopes[0]


def test_estimates_are_made_when_wanted_at_the_size_of_the_texture(
    egg: HeadModel, photograph, front
) -> None:
    assert front.maps is None
    maps = bake(egg, [photograph(0)], SIZE, maps=True).maps
    assert maps is not None
    assert maps.normal.shape == front.albedo.shape and maps.roughness.shape == (SIZE, SIZE)
    assert maps.normal[..., 2].min() > 200 and 12 <= maps.roughness.min()


def test_wrong_requests_are_refused(egg: HeadModel, photograph) -> None:
    with pytest.raises(UsageError) as no_views:
        bake(egg, [])
    with pytest.raises(UsageError, match="3000"):
        bake(egg, [photograph(0)], 3000)
    assert no_views.value.code == "no_views"
    with pytest.raises(UsageError) as tiny:
        bake(egg, [photograph(0)], 4)
    assert tiny.value.code == "texture_size"


def test_baking_can_be_ended_between_any_two_steps(egg: HeadModel, photograph) -> None:
    photo, calls = photograph(0), []
    whole = bake(egg, [photo], SIZE, check=lambda: calls.append(len(calls)))
    assert len(calls) >= 8
    np.testing.assert_array_equal(whole.albedo, bake(egg, [photo], SIZE).albedo)
    for last in calls:
        left = iter(range(last))

        def check(left=left) -> None:
            if next(left, None) is None:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            bake(egg, [photo], SIZE, check=check)
