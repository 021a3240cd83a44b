# SPDX-License-Identifier: Apache-2.0
"""Texture sampling with mip levels: a texture seen from afar is averaged, not picked from.

Does not know what a texture holds; works for neural textures as for colours.

Source: Williams 1983, "Pyramidal parametrics". The paper names change of scale as its open
problem: a neural texture that is read bilinearly where a pixel covers many texels flickers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from rome_backend.render.fragments import Fragments
from rome_backend.render.texture import sample_texture

_SMALLEST = 8  # px: the side of the coarsest level


def mip_levels(texture: torch.Tensor, smallest: int = _SMALLEST) -> tuple[torch.Tensor, ...]:
    """Return a texture (N, C, T, T) and its halvings, each texel the mean of four.

    Stops before a side falls below ``smallest`` px or is odd. Raises ValueError on another shape.
    """
    if texture.ndim != 4 or 0 in texture.shape or smallest < 1:
        raise ValueError(f"a texture must be (N, C, T, T), not {tuple(texture.shape)}")
    levels = [texture]
    while min(levels[-1].shape[2:]) >= 2 * smallest and not any(
        side % 2 for side in levels[-1].shape[2:]
    ):
        levels.append(functional.avg_pool2d(levels[-1], 2))
    return tuple(levels)


def sample_mipmapped(
    levels: tuple[torch.Tensor, ...],
    uvs: torch.Tensor,
    shrink: torch.Tensor,
    padding: str = "border",
) -> torch.Tensor:
    """Sample a texture where one step of a sample covers ``shrink`` texels.

    Args:
        levels: of mip_levels.
        uvs: (N, ..., 2), v up.
        shrink: (N, ...) texels of the full texture per sample; up to 1 the full texture is
            sampled bilinearly, beyond that two levels are mixed.
        padding: as sample_texture.

    Returns:
        (N, ..., C); gradients reach the texture and the uvs, not the shrink.
    """
    if shrink.shape != uvs.shape[:-1]:
        raise ValueError(f"shrink {tuple(shrink.shape)} does not fit uvs {tuple(uvs.shape)}")
    level = torch.log2(shrink.detach().clamp(min=1)).clamp(max=len(levels) - 1)
    total = uvs.new_zeros(*uvs.shape[:-1], levels[0].shape[1])
    for number, texture in enumerate(levels):
        weight = (1 - (level - number).abs()).clamp(min=0)
        if bool((weight > 0).any()):
            total = total + weight[..., None] * sample_texture(texture, uvs, padding)
    return total


def texels_per_pixel(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    corner_uvs: torch.Tensor,
    texture_side: int,
    fragments: Fragments,
) -> torch.Tensor:
    """Return how many texels (in one direction) a pixel covers, (N, H, W), 1 where no face is.

    The square root of the face's area in texels over its area in pixels; +inf for a face that is
    seen from its edge. No gradient.

    Args:
        vertices: (N, V, 3) image NDC that were rasterized; faces (F, 3).
        corner_uvs: (F, 3, 2).
        texture_side: T.
        fragments: (N, H, W) of these vertices.
    """
    count, height, width = fragments.face_index.shape
    with torch.no_grad():
        size = vertices.new_tensor([width, height]) / 2
        on_screen = _areas(vertices[:, faces.long(), :2] * size)
        in_texture = _areas(corner_uvs.to(vertices) * texture_side)
        ratio = torch.sqrt(in_texture / on_screen)
        index = fragments.face_index.view(count, -1).long()
        found = ratio.gather(1, index.clamp(min=0))
        return torch.where(index >= 0, found, torch.ones_like(found)).view(count, height, width)


def _areas(corners: torch.Tensor) -> torch.Tensor:
    """Twice the areas (...) of 2D triangles (..., 3, 2)."""
    u, v = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    return (u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]).abs()
