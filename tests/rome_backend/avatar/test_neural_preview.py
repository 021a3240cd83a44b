# SPDX-License-Identifier: Apache-2.0
"""The preview puts what views show where the surface is; channels become colours."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.head_surface import head_surface, uv_fragments
from rome_backend.avatar.neural_preview import VIEWS, false_colours, neural_preview
from rome_backend.core.errors import UsageError
from rome_backend.core.types import Avatar, HeadModel
from rome_backend.render.interpolate import interpolate_vertices
from rome_backend.render.rasterizer import TorchRasterizer

SIDE = 64


class Painter:
    """Stands in for the networks: every surface point has the colour of its place."""

    def __init__(self, head: HeadModel, vertices: Any) -> None:
        self.faces = torch.as_tensor(np.array(head.faces)).long()
        self.low, self.span = vertices.min(0), np.ptp(vertices, axis=0)
        self.calls = 0

    def colours(self, points: Any) -> torch.Tensor:
        low, span = (torch.as_tensor(v, dtype=torch.float32) for v in (self.low, self.span))
        return (torch.as_tensor(points, dtype=torch.float32) - low) / span

    def render(
        self, texture: torch.Tensor, vertices: torch.Tensor, projected: torch.Tensor,
        height: int, width: int,
    ) -> Any:  # fmt: skip
        self.calls += 1
        fragments = TorchRasterizer().rasterize(projected, self.faces, height, width)
        rgb = interpolate_vertices(fragments, self.faces, self.colours(vertices))
        mask = fragments.covered()[:, None].float()
        shown = rgb.permute(0, 3, 1, 2) * mask
        return SimpleNamespace(rgb=shown, soft_mask=mask, fragments=fragments)


@pytest.fixture
def neural_avatar(small_avatar: Avatar) -> Avatar:
    return replace(small_avatar, neural_texture=np.zeros((8, 16, 16), np.float32))


def test_every_texel_has_the_colour_of_its_place(
    neural_avatar: Avatar, small_head: HeadModel
) -> None:
    vertices = avatar_vertices(neural_avatar, small_head)
    painter: Any = Painter(small_head, vertices)
    found = neural_preview(painter, neural_avatar, small_head, SIDE)
    assert found.shape == (SIDE, SIDE, 3) and found.dtype == np.uint8
    assert painter.calls == len(VIEWS) >= 8
    surface = head_surface(small_head, np.ones(len(vertices)))
    texels = uv_fragments(surface, TorchRasterizer(), SIDE)
    wanted = interpolate_vertices(texels, surface.faces, painter.colours(vertices))[0].numpy()
    error = np.abs(found / 255 - wanted).max(-1)[texels.covered()[0].numpy()]
    assert np.median(error) < 0.04 and (error < 0.15).mean() > 0.7
    again = neural_preview(painter, neural_avatar, small_head, SIDE)
    assert np.array_equal(found, again)


def test_without_a_neural_texture_there_is_nothing_to_show(
    small_avatar: Avatar, small_head: HeadModel
) -> None:
    painter: Any = Painter(small_head, small_head.template)
    with pytest.raises(UsageError) as caught:
        neural_preview(painter, small_avatar, small_head, SIDE)
    assert caught.value.code == "no_neural_texture" and painter.calls == 0


def test_channels_become_their_strongest_differences() -> None:
    rows, columns = np.mgrid[0:32, 0:32] / 31.0
    texture = np.zeros((8, 32, 32), np.float32)
    texture[3], texture[5], texture[6] = 9 * columns, 3 * rows, np.sin(7 * columns * rows)
    shown = false_colours(texture)
    assert shown.shape == (32, 32, 3) and shown.dtype == np.uint8
    across = np.corrcoef(shown[..., 0].ravel(), columns.ravel())[0, 1]
    down = np.corrcoef(shown[..., 1].ravel(), rows.ravel())[0, 1]
    assert abs(across) > 0.9 and abs(down) > 0.8
    assert np.array_equal(shown, false_colours(texture * 100))
    assert not false_colours(np.zeros((8, 4, 4), np.float32)).any()
