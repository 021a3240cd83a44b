# SPDX-License-Identifier: Apache-2.0
"""Mip levels: averages, the mix of levels, how many texels a pixel covers, gradients."""

from __future__ import annotations

import pytest
import torch

from rome_backend.render.mipmap import mip_levels, sample_mipmapped, texels_per_pixel
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.texture import sample_texture


def noise(side: int = 32, channels: int = 3) -> torch.Tensor:
    generator = torch.manual_seed(0)
    return torch.rand(1, channels, side, side, generator=generator, dtype=torch.float64)


def test_levels_halve_and_keep_the_mean() -> None:
    levels = mip_levels(noise())
    assert [level.shape[-1] for level in levels] == [32, 16, 8]
    means = [level.mean((2, 3)) for level in levels]
    assert all(torch.allclose(mean, means[0]) for mean in means)
    assert torch.equal(levels[1][0, 0, 0, 0], noise()[0, 0, :2, :2].mean())


def test_levels_stop_at_odd_sides() -> None:
    assert [level.shape[-1] for level in mip_levels(noise(12), smallest=1)] == [12, 6, 3]


def test_without_shrink_it_is_bilinear_sampling() -> None:
    uvs = torch.rand(1, 5, 7, 2, generator=torch.manual_seed(1), dtype=torch.float64)
    for factor in (0.1, 1.0):
        found = sample_mipmapped(mip_levels(noise()), uvs, torch.full((1, 5, 7), factor))
        assert torch.equal(found, sample_texture(noise(), uvs))


def test_two_levels_are_mixed_in_between() -> None:
    levels = mip_levels(noise())
    uvs = torch.rand(1, 6, 2, generator=torch.manual_seed(2), dtype=torch.float64)
    shrink = torch.full((1, 6), 2**1.25, dtype=torch.float64)
    expected = 0.75 * sample_texture(levels[1], uvs) + 0.25 * sample_texture(levels[2], uvs)
    assert torch.allclose(sample_mipmapped(levels, uvs, shrink), expected)
    far = sample_mipmapped(levels, uvs, torch.full((1, 6), torch.inf, dtype=torch.float64))
    assert torch.equal(far, sample_texture(levels[2], uvs))


def test_a_small_picture_of_noise_is_calm() -> None:
    """The point of it: at an eighth of the size single texels no longer show."""
    texture = noise(64, 1)
    steps = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    uvs = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1)[None]
    shrink = torch.full((1, 8, 8), 8.0, dtype=torch.float64)
    calm = sample_mipmapped(mip_levels(texture), uvs, shrink)
    assert calm.std() < 0.3 * sample_texture(texture, uvs).std()


def test_gradients_reach_texture_and_uvs() -> None:
    texture = noise(16, 1).requires_grad_()
    uvs = torch.tensor([[[0.41, 0.52], [0.7, 0.2]]], dtype=torch.float64, requires_grad=True)
    shrink = torch.tensor([[1.3, 1.7]], dtype=torch.float64)

    def sample(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        return sample_mipmapped(mip_levels(values), places, shrink)

    assert torch.autograd.gradcheck(sample, (texture, uvs))


def quad(scale: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    corners[:, :2] *= scale
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    uvs = torch.tensor([[0.0, 1], [1, 1], [1, 0], [0, 0]])
    return corners[None], faces, uvs[faces]


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_texels_per_pixel_grow_as_the_head_shrinks(scale: float) -> None:
    vertices, faces, uvs = quad(scale)
    fragments = TorchRasterizer().rasterize(vertices, faces, 16, 16)
    found = texels_per_pixel(vertices, faces, uvs, 64, fragments)
    covered = fragments.covered()
    assert torch.allclose(found[covered], torch.tensor(4 / scale))
    assert torch.all(found[~covered] == 1)


def test_stretched_pictures_use_the_area() -> None:
    vertices, faces, uvs = quad(1.0)
    fragments = TorchRasterizer().rasterize(vertices, faces, 8, 32)
    assert torch.allclose(texels_per_pixel(vertices, faces, uvs, 16, fragments), torch.tensor(1.0))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="texture"):
        mip_levels(torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match="shrink"):
        sample_mipmapped(mip_levels(noise()), torch.zeros(1, 4, 2).double(), torch.ones(1, 3))
