# SPDX-License-Identifier: Apache-2.0
"""Drawing happens on the device of its inputs, tried without a second device.

While the default device is "meta", whatever is made without naming a device has no values, and
mixing it with real tensors raises. So what passes here makes everything where its inputs are.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import HeadModel
from rome_backend.render.composite import opened_mask
from rome_backend.render.interpolate import interpolate_vertices
from rome_backend.render.mipmap import mip_levels, sample_mipmapped, texels_per_pixel
from rome_backend.render.rasterizer import TorchRasterizer, image_ndc
from rome_backend.render.silhouette import soft_silhouette
from rome_backend.render.texture import sample_texture, uv_image_ndc

SIDE = 24


@pytest.fixture
def vertices(small_head: HeadModel) -> torch.Tensor:
    points = torch.tensor(small_head.template)[None]
    return torch.cat([points, points.flip(0) * 0.9]) * torch.tensor([7.0, -7.0, -1.0])


@pytest.fixture
def faces(small_head: HeadModel) -> torch.Tensor:
    return torch.tensor(small_head.faces).long()


def everywhere(draw: Callable[[], torch.Tensor]) -> torch.Tensor:
    """Return what is drawn while the default device is another; it is the same as ever."""
    expected = draw()
    with torch.device("meta"):
        found = draw()
    assert found.device == expected.device and torch.equal(found, expected)
    return found


def test_the_trap_works() -> None:
    here = torch.ones(2)
    with torch.device("meta"), pytest.raises((RuntimeError, NotImplementedError)):
        (here + torch.ones(2)).sum().item()


def test_hard_pass_and_interpolation(vertices: torch.Tensor, faces: torch.Tensor) -> None:
    rasterizer = TorchRasterizer()

    def draw() -> torch.Tensor:
        fragments = rasterizer.rasterize(vertices, faces, SIDE, SIDE)
        normals = vertex_normals(vertices, faces, torch)
        found = interpolate_vertices(fragments, faces, normals)
        return torch.cat([found, fragments.barycentric, fragments.covered()[..., None]], -1)

    assert everywhere(draw)[..., -1].mean() > 0.1


def test_soft_silhouette_with_its_gradient(vertices: torch.Tensor, faces: torch.Tensor) -> None:
    moved = vertices.clone().requires_grad_()

    def gradient() -> torch.Tensor:
        moved.grad = None
        soft_silhouette(moved, faces, SIDE, SIDE).alpha.square().sum().backward()
        assert moved.grad is not None
        return moved.grad

    assert everywhere(gradient).abs().max() > 0


def test_texture_and_mip_levels(vertices: torch.Tensor, faces: torch.Tensor) -> None:
    texture = torch.rand(1, 3, 32, 32)
    uvs = torch.rand(len(faces), 3, 2)
    rasterizer = TorchRasterizer()

    def draw() -> torch.Tensor:
        fragments = rasterizer.rasterize(vertices[:1], faces, SIDE, SIDE)
        shrink = texels_per_pixel(vertices[:1], faces, uvs, 32, fragments)
        where = fragments.barycentric[..., :2]
        plain = sample_texture(texture, where)
        return plain + sample_mipmapped(mip_levels(texture), where, shrink)

    everywhere(draw)


def test_mask_and_camera(vertices: torch.Tensor) -> None:
    mask = (torch.rand(1, 1, SIDE, SIDE) > 0.2).float()
    matrix = torch.eye(4)
    everywhere(lambda: opened_mask(mask))
    everywhere(lambda: image_ndc(vertices[0], matrix))
    everywhere(lambda: uv_image_ndc(vertices[0, :, :2]))
