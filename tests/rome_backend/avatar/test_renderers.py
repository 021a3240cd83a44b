# SPDX-License-Identifier: Apache-2.0
"""Renderers by name: what each name means, and what stands in its way."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets.store import AssetStore
from rome_backend.avatar import renderers
from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.light_weights import save_light_renderer
from rome_backend.avatar.render import camera_round
from rome_backend.avatar.renderers import RENDERERS, chosen_renderer, neural_avatar
from rome_backend.core.errors import AssetMissing, UsageError
from rome_backend.core.messages import RenderFrame
from rome_backend.core.types import Avatar, HeadModel
from rome_backend.models.light_renderer import LightParams, make_light_renderer


@pytest.fixture
def avatar(small_avatar: Avatar) -> Avatar:
    texture = np.random.default_rng(2).normal(size=(8, 16, 16)).astype(np.float32)
    return replace(small_avatar, neural_texture=texture, weights_id="abc")


def test_auto_is_the_network_where_there_is_something_for_it(
    small_avatar: Avatar, avatar: Avatar
) -> None:
    assert chosen_renderer("auto", small_avatar) == "textured"
    assert chosen_renderer("auto", avatar) == "rome"
    assert chosen_renderer("textured", avatar) == "textured"
    assert chosen_renderer("light", avatar) == "light"
    with pytest.raises(UsageError, match="textured"):
        chosen_renderer("heavy", avatar)


@pytest.mark.parametrize("name", ["photo", "light", "light-blocks"])
def test_without_a_neural_texture_the_photo_is_what_networks_start_from(
    name: str, small_avatar: Avatar
) -> None:
    assert chosen_renderer(name, small_avatar) == "photo"


def test_blender_uses_the_same_words() -> None:
    words = import_module(RenderFrame.__module__).RENDERERS
    assert set(words) <= set(RENDERERS)


@pytest.mark.parametrize("name", ["light", "light-blocks"])
def test_light_renderers_have_no_weights_yet(
    name: str, avatar: Avatar, small_head: HeadModel, tmp_path: Path
) -> None:
    with pytest.raises(AssetMissing) as caught:
        neural_avatar(name, avatar, small_head, AssetStore(tmp_path))
    assert caught.value.code == "renderer_untrained"


def test_a_light_renderer_with_weights_draws_the_textures_it_was_trained_for(
    avatar: Avatar, small_avatar: Avatar, small_head: HeadModel, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = make_light_renderer(LightParams(base=8, levels=2))
    save_light_renderer(network, tmp_path / "light.safetensors", "abc", {})
    store = AssetStore(tmp_path)
    drawn = neural_avatar("light", avatar, small_head, store, weights=tmp_path)
    camera = camera_round(avatar_vertices(avatar, small_head), 0.0, 0.0, 32)
    assert drawn.pictures([(camera, None)]).shape == (1, 32, 32, 4)
    other = replace(avatar, weights_id="xyz")
    with pytest.raises(AssetMissing, match="other neural textures"):
        neural_avatar("light", other, small_head, store, weights=tmp_path)
    with pytest.raises(UsageError, match="no neural texture"):
        neural_avatar("light", small_avatar, small_head, store, weights=tmp_path)


def test_the_released_network_must_be_installed(
    avatar: Avatar, small_avatar: Avatar, small_head: HeadModel, tmp_path: Path
) -> None:
    with pytest.raises(AssetMissing) as caught:
        neural_avatar("rome", avatar, small_head, AssetStore(tmp_path))
    assert caught.value.code == "networks_missing"
    with pytest.raises(UsageError):
        neural_avatar(renderers.ROME, small_avatar, small_head, AssetStore(tmp_path))
