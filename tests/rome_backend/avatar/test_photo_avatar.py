# SPDX-License-Identifier: Apache-2.0
"""Pictures from the photo itself: exact in its own view, the mesh where it shows nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.head_surface import head_surface
from rome_backend.avatar.photo_avatar import PhotoAvatar
from rome_backend.avatar.photo_layers import PhotoLayers, photo_layers, turn_degrees
from rome_backend.avatar.photo_mend import (
    CONTROLS,
    Mended,
    averaged,
    joined,
    make_mending_network,
    photo_mender,
)
from rome_backend.avatar.photo_source import filled, person_colours, photo_source
from rome_backend.avatar.render import avatar_picture
from rome_backend.core.camera import project, weak_perspective
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import U8, Avatar, Camera, FlameParams, HeadModel

SIDE = 96
GREY = (128, 128, 128)
Photographed = Callable[..., Avatar]


def seen_from(yaw: float = 0.0, side: int = SIDE) -> Camera:
    turned = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    return weak_perspective(3.0 * side, turned, (side / 2, side / 2), side, side)


@pytest.fixture(scope="module")
def photographed(small_head: HeadModel) -> Photographed:
    """Make an avatar of a picture of a head with a colourful skin, over black.

    Its own texture is grey, so that what comes from the photo can be told from it. paint: changes
    the photo and its matte.
    """
    random = np.random.default_rng(3)
    skin = cv2.resize(random.integers(40, 220, (9, 9, 3), dtype=np.uint8), (64, 64))
    count = len(small_head.template)

    def make(paint: Callable[[U8, U8], None] = lambda rgb, matte: None) -> Avatar:
        params = FlameParams(np.zeros(6), np.zeros(5))
        points = landmark_points(
            small_head.template.astype(np.float64), small_head.faces, small_head.landmarks
        )
        landmarks = np.zeros((478, 3), np.float32)
        landmarks[small_head.landmarks.indices, :2] = project(seen_from(), points)[:, :2]
        avatar = Avatar(
            "small", small_head.name, small_head.topology_id, params,
            np.zeros(60, np.float32), *[np.zeros((count, 3), np.float32)] * 2,
            skin, np.full((64, 64), 255, np.uint8),
            np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8),
            landmarks, seen_from(), (), {}, {},
        )  # fmt: skip
        photo = avatar_picture(avatar, small_head, seen_from(), params, background=None)
        rgb, matte = photo[..., :3] * (photo[..., 3:] > 0), photo[..., 3].copy()
        paint(rgb, matte)
        plain = np.full_like(skin, 128)
        return replace(avatar, source_crop=rgb, source_matte=matte, albedo=plain)

    return make


def drawn(avatar: Avatar, head: HeadModel, camera: Camera) -> U8:
    return PhotoAvatar(avatar, head).pictures([(camera, avatar.params)], None)[0]


def test_the_photo_s_own_view_is_the_photo(
    photographed: Photographed, small_head: HeadModel
) -> None:
    avatar = photographed()
    found = drawn(avatar, small_head, seen_from())
    inside = cv2.erode(avatar.source_matte, np.ones((5, 5))) > 250
    apart = np.abs(found[..., :3].astype(int) - avatar.source_crop)[inside]
    assert apart.mean() < 3
    assert np.abs(found[..., 3].astype(int) - avatar.source_matte).mean() < 3


def test_a_turned_head_still_shows_the_photo(
    photographed: Photographed, small_head: HeadModel
) -> None:
    avatar = photographed()
    found = drawn(avatar, small_head, seen_from(20.0))
    spread = found[..., :3].astype(int).std(-1)[found[..., 3] > 250]
    assert (spread > 8).mean() > 0.6  # the avatar's own texture is grey


def test_what_the_photo_did_not_show_is_the_textured_mesh(
    photographed: Photographed, small_head: HeadModel
) -> None:
    avatar = photographed()
    behind = seen_from(180.0)
    found = drawn(avatar, small_head, behind)
    wanted = avatar_picture(avatar, small_head, behind, avatar.params, background=None)
    assert np.abs(found[..., 3].astype(int) - wanted[..., 3]).mean() < 3
    inside = cv2.erode(wanted[..., 3], np.ones((9, 9))) > 250
    assert inside.any()
    assert np.abs(found[..., :3].astype(int) - wanted[..., :3])[inside].mean() < 2


def test_hair_beside_the_mesh_comes_along_and_goes_when_the_head_turns(
    photographed: Photographed, small_head: HeadModel
) -> None:
    plain = photographed()
    row = SIDE // 2
    edge = int(np.flatnonzero(plain.source_matte[row] > 128)[-1])
    strand = np.s_[row - 3 : row + 4, edge - 2 : edge + 16]

    def paint(rgb: U8, matte: U8) -> None:
        rgb[strand], matte[strand] = (200, 30, 30), 255

    avatar = photographed(paint)
    outside = np.s_[row - 1 : row + 2, edge + 6 : edge + 10]
    near, turned = (drawn(avatar, small_head, seen_from(yaw)) for yaw in (0.0, 45.0))
    assert near[outside][..., 3].min() > 200 and near[outside][..., 0].min() > 150
    bare = drawn(plain, small_head, seen_from(45.0))
    assert np.abs(turned[..., 3].astype(int) - bare[..., 3]).sum() < 0.3 * 255 * 7 * 16


def test_landmarks_register_the_photo(photographed: Photographed, small_head: HeadModel) -> None:
    avatar = photographed()
    moved = avatar.source_landmarks.copy()
    moved[:, 0] += 2
    shifted = photo_source(replace(avatar, source_landmarks=moved), small_head)
    plain = photo_source(avatar, small_head)
    face = small_head.regions["face"]
    apart = (shifted.px - plain.px)[face & (plain.facing > 0.5)]
    assert np.median(apart[:, 0]) == pytest.approx(2, abs=0.15)
    assert apart[:, 0].min() > 1.3 and np.abs(apart[:, 1]).max() < 0.3
    metres = (shifted.shift - plain.shift)[face & (plain.facing > 0.5)]
    assert np.allclose(metres[:, :2] * plain.scale * [1, -1], apart, atol=1e-6)


def test_files_that_do_not_say_what_the_photo_showed_are_all_photo(
    photographed: Photographed, small_head: HeadModel
) -> None:
    avatar = photographed()
    assert photo_source(avatar, small_head).valid.all()
    part = replace(avatar, provenance={"shown": [0, 10, SIDE, 50]})
    valid = photo_source(part, small_head).valid
    assert (valid[12:48] == 1).all() and not valid[:10].any() and not valid[50:].any()
    assert 0 < valid[10, 0] < 1 and 0 < valid[49, 0] < 1 and (valid[:, :1] == valid).all()


def test_colours_of_the_person_reach_past_its_edge() -> None:
    rgb = np.zeros((32, 32, 3), np.float32)
    rgb[:, :16] = 200
    matte = np.zeros((32, 32), np.float32)
    matte[:, :16] = 1
    matte[:, 16:20] = 0.4
    found = person_colours(rgb, matte)
    assert np.allclose(found[:, :14], 200) and found[:, 16:20].min() > 180


def test_filling_keeps_what_is_known_and_nothing_stays_nothing() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(21, 34, 2)).astype(np.float32)
    known = (random.random((21, 34)) < 0.3).astype(np.float32)
    found = filled(values, known)
    assert np.allclose(found[known > 0], values[known > 0], atol=1e-5)
    assert found.min() >= values[known > 0].min() - 1e-5
    assert np.allclose(filled(np.full_like(values, 7), known), 7, atol=1e-4)
    assert not filled(values, np.zeros_like(known)).any()


@pytest.mark.parametrize("degrees", [0.0, 7.0, 90.0])
def test_turns_are_measured(degrees: float) -> None:
    points = np.random.default_rng(1).normal(size=(40, 3))
    turned = points @ matrix_from_yaw_pitch_roll(degrees, 0.0, 0.0).T + [0.1, 0.2, 0.3]
    assert turn_degrees(points, turned) == pytest.approx(degrees, abs=1e-4)


@pytest.fixture
def layers(photographed: Photographed, small_head: HeadModel) -> PhotoLayers:
    avatar = photographed()
    surface = head_surface(small_head, np.ones(len(small_head.template), np.float32))
    vertices = avatar_vertices(avatar, small_head, avatar.params)
    source = photo_source(avatar, small_head)
    return photo_layers(source, surface, avatar.albedo, vertices, seen_from(10.0, 64))


def test_a_network_that_says_nothing_leaves_the_rules(layers: PhotoLayers) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        plain, mended = (
            joined(layers),
            joined(layers, photo_mender(make_mending_network(8, 2))(layers)),
        )
    assert (plain.rgb - mended.rgb).abs().max() < 1e-4
    assert (plain.alpha - mended.alpha).abs().max() < 1e-4


@pytest.mark.parametrize("size", [(40, 64), (64, 40), (192, 192), (384, 256)])
def test_it_looks_at_pictures_of_any_size(size: tuple[int, int]) -> None:
    parts = [torch.rand(1, count, *size) for count in (4, 4, 8)]
    controls = photo_mender(make_mending_network(8, 3))(PhotoLayers(*parts))
    assert controls.shape[1] == CONTROLS
    assert max(controls.shape[-2:]) == 192
    assert joined(PhotoLayers(*parts), controls).rgb.shape == (1, 3, *size)


def test_what_the_network_says_is_done(layers: PhotoLayers) -> None:
    def said(place: int, value: float) -> torch.Tensor:
        controls = torch.zeros(1, CONTROLS, 8, 8)
        controls[:, place] = value
        return controls

    plain = joined(layers)
    inside = (plain.alpha > 0.99)[:, 0]
    assert joined(layers, said(1, -3.0)).alpha.mean() < plain.alpha.mean() - 0.05
    mesh = joined(layers, said(0, -20.0)).rgb.permute(0, 2, 3, 1)[inside]
    assert (mesh - layers.drawn[:, :3].permute(0, 2, 3, 1)[inside]).abs().mean() < 0.01
    redder = (joined(layers, said(2, 50.0)).rgb - plain.rgb)[:, 0]
    assert redder.max() <= 0.1 + 1e-5 and redder[inside].mean() > 0.05
    still = replace(layers, guides=layers.guides * torch.tensor([1.0] * 7 + [0])[:, None, None])
    assert torch.equal(joined(still, said(1, -3.0)).alpha, joined(still).alpha)


def test_what_is_not_said_is_nothing(layers: PhotoLayers) -> None:
    share = torch.full((1, 1, 8, 8), -2.0)
    rest = torch.zeros(1, CONTROLS - 1, 8, 8)
    alone, all_said = joined(layers, share), joined(layers, torch.cat([share, rest], dim=1))
    assert torch.equal(alone.rgb, all_said.rgb) and torch.equal(alone.alpha, all_said.alpha)
    assert (alone.rgb - joined(layers).rgb).abs().max() > 0.05


def test_averages_weigh_colours_by_their_matte() -> None:
    rgb, alpha = torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2)
    rgb[..., 0, 0], alpha[..., 0, 0] = 0.8, 1.0
    found = averaged(Mended(rgb, alpha), 2)
    assert found.rgb.flatten().tolist() == pytest.approx([0.8] * 3)
    assert found.alpha.item() == pytest.approx(0.25)
