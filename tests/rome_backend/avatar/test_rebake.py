# SPDX-License-Identifier: Apache-2.0
"""Tests of baking an avatar's texture again: what it takes up, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rome_backend.avatar import rebake as rebake_module
from rome_backend.avatar.assemble import shown_part
from rome_backend.avatar.rebake import rebake
from rome_backend.core.errors import FileInvalid, RomeError, UsageError
from rome_backend.core.types import Avatar, HeadCrop, HeadModel
from rome_backend.texture.bake import BakedTexture
from rome_backend.texture.surface_maps import SurfaceMaps

FIT = {
    "scale": 210.0, "yaw": 1.0, "pitch": 2.0, "roll": 3.0, "residual": 1.5,
    "rotation": np.eye(3).tolist(), "translation": [30.0, 34.0],
}  # fmt: skip


@pytest.fixture
def avatar(small_avatar: Avatar) -> Avatar:
    """The small avatar as create would have left it."""
    facts = {"fit": FIT, "photos": ["a.jpg"], "seed": 7, "shown": [0, 5, 60, 64]}
    return replace(small_avatar, provenance=facts)


@pytest.fixture
def baked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Notes what bake was asked, and gives a plain texture."""
    asked: list[Any] = []

    def bake(
        head: Any, views: Any, size: int, delight: bool, seed: int, check: Any, maps: bool
    ) -> BakedTexture:
        check()
        asked.append((views, size, delight, seed))
        albedo = np.full((size, size, 3), 7, np.uint8)
        estimates = SurfaceMaps(albedo + 1, albedo[..., 0] + 2) if maps else None
        return BakedTexture(albedo, np.full((size, size), 9, np.uint8), 0, estimates)

    monkeypatch.setattr(rebake_module, "bake", bake)
    return asked


def test_the_source_crop_is_baked_with_its_own_fit_and_seed(
    avatar: Avatar, small_head: HeadModel, baked: list[Any]
) -> None:
    again = rebake(avatar, small_head, 512, delight=True)
    (views, size, delight, seed) = baked[0]
    assert (size, delight, seed) == (512, True, 7)
    assert len(views) == 1
    np.testing.assert_array_equal(views[0].rgb, avatar.source_crop)
    np.testing.assert_allclose(views[0].matte * 255, avatar.source_matte, atol=1e-4)
    np.testing.assert_array_equal(views[0].camera.width, avatar.source_crop.shape[1])
    assert views[0].valid.sum() == 60 * 59 and not views[0].valid[:5].any()
    assert (again.albedo == 7).all() and again.albedo.shape == (512, 512, 3)
    assert (again.confidence == 9).all()
    assert again.name == avatar.name and again.offsets is avatar.offsets


def test_estimates_are_made_anew_unless_they_were_not_wanted(
    avatar: Avatar, small_head: HeadModel, baked: list[Any]
) -> None:
    without = replace(avatar, provenance={**avatar.provenance, "estimates": []})
    plain = rebake(without, small_head, 512, delight=True)
    assert plain.normal_map is None and plain.roughness_map is None
    assert plain.provenance["estimates"] == [] and plain.provenance["delight"] is True
    assert "estimates" not in avatar.provenance  # as of an older version
    again = rebake(avatar, small_head, 512)
    assert again.normal_map is not None and again.normal_map.shape == (512, 512, 3)
    assert again.roughness_map is not None and (again.roughness_map == 9).all()
    assert again.provenance["estimates"] == ["normal", "roughness"]
    assert again.provenance["delight"] is False and again.provenance["seed"] == 7


def test_the_camera_s_distance_is_kept_and_older_avatars_have_none(
    avatar: Avatar, small_head: HeadModel, baked: list[Any]
) -> None:
    rows = []
    for distance in ({}, {"distance": None}, {"distance": 0.8}):
        rebake(replace(avatar, provenance={"fit": {**FIT, **distance}}), small_head, 256)
        rows.append(baked[-1][0][0].camera.world_to_clip[3].tolist())
    assert rows[0] == rows[1] == [0, 0, 0, 1]
    assert rows[2] == [0, 0, -1, 0.8]


@pytest.mark.parametrize("shown", [None, [], [0, 0, 3], "all", [0, 0, -1, 5], [0.0, 0, 5, 5]])
def test_an_avatar_that_does_not_say_what_was_shown_counts_as_all_shown(
    avatar: Avatar, small_head: HeadModel, baked: list[Any], shown: object
) -> None:
    rebake(replace(avatar, provenance={"fit": FIT, "shown": shown}), small_head, 256)
    assert baked[0][0][0].valid.all() and baked[0][3] == 0


@pytest.mark.parametrize(
    "fit",
    [
        None, {}, 5, {**FIT, "scale": "large"}, {**FIT, "rotation": [1, 2]}, {**FIT, "roll": None},
        {**FIT, "distance": -1},
    ],
)  # fmt: skip
def test_an_avatar_that_does_not_say_how_it_was_fitted_is_refused(
    avatar: Avatar, small_head: HeadModel, fit: object
) -> None:
    with pytest.raises(RomeError) as caught:
        rebake(replace(avatar, provenance={"fit": fit}), small_head, 256)
    assert caught.value.code == "rebake_no_fit"


def test_of_several_photos_only_one_is_kept_which_is_said(
    avatar: Avatar, small_head: HeadModel
) -> None:
    facts = {**avatar.provenance, "photos": ["a.jpg", "b.jpg", "c.jpg"]}
    with pytest.raises(RomeError) as caught:
        rebake(replace(avatar, provenance=facts), small_head, 256)
    assert caught.value.code == "rebake_needs_photos" and "3 photos" in caught.value.message


@pytest.mark.parametrize("size", [0, -1, 1000, 1 << 40])
def test_sizes_that_are_not_offered_are_refused(
    avatar: Avatar, small_head: HeadModel, size: int
) -> None:
    with pytest.raises(UsageError) as caught:
        rebake(avatar, small_head, size)
    assert caught.value.code == "texture_size"


def test_another_head_model_is_refused(avatar: Avatar, small_head: HeadModel) -> None:
    with pytest.raises(FileInvalid) as caught:
        rebake(replace(avatar, topology_id="other"), small_head, 256)
    assert caught.value.code == "topology_mismatch"


def test_create_notes_the_part_that_the_photo_showed() -> None:
    valid = np.zeros((8, 8), np.bool_)
    valid[2:8, 1:5] = True
    nothing = np.zeros((8, 8), np.float32)
    crop = HeadCrop(nothing.astype(np.uint8), nothing, valid, np.eye(2, 3), np.zeros((478, 3)))
    assert shown_part(crop) == [1, 2, 5, 8]
