# SPDX-License-Identifier: Apache-2.0
"""Texture sampling: texel centres, padding, gradients and the UV layout it shares.

Does not test meshes.
"""

from __future__ import annotations

import pytest
import torch

from rome_backend.core.pixels import px_to_uv
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.texture import sample_texture, uv_image_ndc


def texture(size: int = 8) -> torch.Tensor:
    return torch.rand(1, 3, size, size, generator=torch.manual_seed(2), dtype=torch.float64)


def test_texel_centres_return_the_texels() -> None:
    values = texture()
    rows, columns = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    uvs = px_to_uv(torch.stack([columns, rows], -1).double() + 0.5, 8, 8, torch)
    sampled = sample_texture(values, uvs[None])
    assert torch.allclose(sampled[0], values[0].permute(1, 2, 0))


def test_v_points_up() -> None:
    values = torch.arange(4.0).view(1, 1, 4, 1).expand(1, 1, 4, 4)
    uvs = torch.tensor([[[0.5, 1.0], [0.5, 0.0]]])
    assert sample_texture(values, uvs).flatten().tolist() == [0.0, 3.0]


def test_halfway_is_the_mean() -> None:
    values = texture()
    uvs = torch.tensor([[[1.0 / 8, 1 - 0.5 / 8]]], dtype=torch.float64)
    expected = (values[0, :, 0, 0] + values[0, :, 0, 1]) / 2
    assert torch.allclose(sample_texture(values, uvs)[0, 0], expected)


@pytest.mark.parametrize(("padding", "factor"), [("border", 1.0), ("zeros", 0.25)])
def test_padding_at_the_outer_corner(padding: str, factor: float) -> None:
    values = texture()
    uvs = torch.tensor([[[0.0, 1.0]]], dtype=torch.float64)
    expected = factor * values[0, :, 0, 0]
    assert torch.allclose(sample_texture(values, uvs, padding)[0, 0], expected)


def test_gradients_reach_texture_and_uvs() -> None:
    values = texture(4).requires_grad_()
    uvs = torch.tensor([[[0.41, 0.52], [0.7, 0.2]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(sample_texture, (values, uvs))


def test_the_uv_layout_rasterizes_texels_under_their_own_uv() -> None:
    uvs = torch.tensor([[0.1, 0.1], [0.9, 0.15], [0.3, 0.9]])
    size = 16
    fragments = TorchRasterizer().rasterize(
        uv_image_ndc(uvs)[None], torch.tensor([[0, 1, 2]]), size, size
    )
    rows, columns = fragments.covered()[0].nonzero(as_tuple=True)
    found = fragments.barycentric[0, rows, columns] @ uvs
    expected = px_to_uv(torch.stack([columns, rows], -1) + 0.5, size, size, torch)
    assert len(rows) > 20
    assert torch.allclose(found, expected, atol=1e-6)
