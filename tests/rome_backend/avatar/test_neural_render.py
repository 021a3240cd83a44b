# SPDX-License-Identifier: Apache-2.0
"""Pictures by small rendering networks with random weights, on the small head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.feed_forward import FeedForward, RomeNetworks
from rome_backend.avatar.head_renderer import FeedForwardOptions, HeadRenderer
from rome_backend.avatar.head_surface import head_surface
from rome_backend.avatar.neural_render import (
    PAPER,
    Drawing,
    NeuralAvatar,
    View,
    require_size,
    to_pictures,
)
from rome_backend.avatar.render import camera_round
from rome_backend.avatar.renderers import light_drawing
from rome_backend.core.errors import UsageError
from rome_backend.core.types import Avatar, FlameParams, HeadModel
from rome_backend.models.light_renderer import LightParams, make_light_renderer
from rome_backend.models.unet import UNetParams, make_unet
from rome_backend.render.rasterizer import image_ndc

SIDE = 32


class Seen(nn.Module):
    """A network that remembers what it was given: its mask is where there was a head."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[torch.Tensor] = []

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.given.append(values)
        inside = (values[:, -3:].abs().sum(1, keepdim=True) > 0).float() * 40 - 20
        return torch.cat([values[:, :3], inside], dim=1)


@pytest.fixture
def avatar(small_avatar: Avatar) -> Avatar:
    texture = np.random.default_rng(2).normal(size=(8, 16, 16)).astype(np.float32)
    return replace(small_avatar, neural_texture=texture, weights_id="abc")


@pytest.fixture
def views(avatar: Avatar, small_head: HeadModel) -> list[View]:
    vertices = avatar_vertices(avatar, small_head)
    smile = FlameParams(np.zeros(6), np.array([0.5, 1, 1, 0, 0]), neck=np.array([0, 0.4, 0]))
    return [
        (camera_round(vertices, yaw, 5.0, SIDE), params)
        for yaw, params in ((0.0, None), (50.0, smile), (-20.0, smile))
    ]


def plain(small_head: HeadModel, network: nn.Module) -> HeadRenderer:
    options = FeedForwardOptions(plain_normals=True)
    return HeadRenderer(head_surface(small_head), network, options=options)


def test_a_batch_is_what_each_view_is_by_itself(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    torch.manual_seed(1)
    network = make_light_renderer(LightParams(base=8, levels=2)).eval()
    drawing = Drawing(plain(small_head, network), soft=True)
    drawn = NeuralAvatar(drawing, avatar, small_head)
    together = drawn.pictures(views)
    assert together.shape == (3, SIDE, SIDE, 4) and together.dtype == np.uint8
    for view, picture in zip(views, together, strict=True):
        alone = drawn.pictures([view])[0].astype(int)
        assert np.abs(alone - picture).max() <= 1
    assert (together[0] != together[1]).any()


def test_the_light_renderer_sees_texture_and_plain_normals(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    network = Seen()
    NeuralAvatar(Drawing(plain(small_head, network)), avatar, small_head).pictures(views[:1])
    (given,) = network.given
    assert given.shape == (1, 11, SIDE, SIDE)
    lengths = given[0, 8:].norm(dim=0)
    covered = lengths > 0
    assert 0.2 < covered.float().mean() < 0.9
    assert lengths[covered].median() > 0.9 and (lengths <= 1.0001).all()
    assert given[0, :8][:, ~covered].eq(0).all()
    facing = given[0, 10, SIDE // 2, SIDE // 2]
    assert facing > 0.8  # the face looks along +Z, and it is seen from the front


def test_the_released_network_gets_what_the_feed_forward_system_gives_it(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    torch.manual_seed(2)
    network = make_unet(UNetParams(47, 4, (8, 8, 8))).eval()
    surface = head_surface(small_head)
    system = FeedForward(
        RomeNetworks(nn.Identity(), nn.Identity(), nn.Identity(), network), surface
    )
    camera, params = views[1]
    vertices = torch.as_tensor(avatar_vertices(avatar, small_head, params))
    places = image_ndc(vertices, torch.as_tensor(camera.world_to_clip)).float()
    with torch.no_grad():
        texture = torch.as_tensor(avatar.neural_texture)[None]
        expected = system.render(texture, vertices.float()[None], places[None], SIDE, SIDE)
    found = NeuralAvatar(Drawing(system.renderer), avatar, small_head).pictures([views[1]])
    difference = found.astype(int) - to_pictures(expected, PAPER).astype(int)
    assert (np.abs(difference) > 1).mean() < 0.01


def test_a_soft_mask_is_the_alpha_and_a_hard_one_is_cut(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    class Half(nn.Module):
        def forward(self, values: torch.Tensor) -> torch.Tensor:
            logits = torch.full_like(values[:, :1], 0.8472979)  # sigmoid 0.7, above the threshold
            return torch.cat([torch.zeros_like(values[:, :3]), logits], dim=1)

    renderer = plain(small_head, Half())
    soft = NeuralAvatar(Drawing(renderer, soft=True), avatar, small_head)
    hard = NeuralAvatar(Drawing(renderer), avatar, small_head)
    assert np.unique(soft.pictures(views[:1], None)[..., 3]).tolist() == [179]
    assert np.unique(hard.pictures(views[:1], None)[..., 3]).tolist() == [255]
    mixed = soft.pictures(views[:1])[0, 0, 0]
    expected = np.array(PAPER) * 0.3 + 127.5 * 0.7
    assert np.abs(mixed[:3] - expected).max() <= 1 and mixed[3] == 255


def test_transparent_pictures_have_no_colour_outside(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    drawn = NeuralAvatar(Drawing(plain(small_head, Seen())), avatar, small_head)
    picture = drawn.pictures(views[:1], None)[0]
    outside = picture[..., 3] == 0
    assert 0 < outside.mean() < 1 and (picture[outside] == 0).all()


def test_light_drawings_take_their_networks_sizes(
    avatar: Avatar, small_head: HeadModel, views: list[View]
) -> None:
    torch.manual_seed(3)
    network = make_light_renderer(LightParams(base=8, levels=3, block=2))
    drawing = light_drawing(network, head_surface(small_head))
    assert drawing.step == 8 and drawing.soft
    assert NeuralAvatar(drawing, avatar, small_head).pictures(views[:2]).shape[0] == 2


def test_what_cannot_be_drawn_is_refused(
    small_avatar: Avatar, avatar: Avatar, small_head: HeadModel
) -> None:
    drawing = Drawing(plain(small_head, Seen()))
    with pytest.raises(UsageError, match="no neural texture"):
        NeuralAvatar(drawing, small_avatar, small_head)
    camera = camera_round(avatar_vertices(avatar, small_head), 0.0, 0.0, 33)
    with pytest.raises(UsageError, match="33 x 33"):
        NeuralAvatar(drawing, avatar, small_head).pictures([(camera, None)])
    require_size(64, 32)
    with pytest.raises(UsageError):
        require_size(64, 32, 64)
