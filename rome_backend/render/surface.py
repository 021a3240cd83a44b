# SPDX-License-Identifier: Apache-2.0
"""What a mesh shows wherever its vertices are: faces, UVs and a texture in several sizes.

Does not know vertices, cameras or where the texture came from.

The texture is kept with its mip levels, so that a head that is small in a frame does not flicker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rome_backend.core.types import F32, I32, U8
from rome_backend.render.mipmap import mip_levels, sample_mipmapped


@dataclass(frozen=True)
class Surface:
    """Faces with a texture.

    faces (F, 3) i64; uvs (F, 3, 2) f32 of the faces' corners, v up;
    levels: the texture (1, 3, H, W) f32, sRGB in [0, 1], then halved again and again.
    """

    faces: torch.Tensor
    uvs: torch.Tensor
    levels: tuple[torch.Tensor, ...]


def textured_surface(
    faces: I32, corner_uvs: F32, albedo: U8, device: torch.device | str = "cpu"
) -> Surface:
    """Return a surface whose tensors are on the device; what is drawn with it is drawn there.

    Args:
        faces: (F, 3), counter-clockwise from outside, vertices not below 0.
        corner_uvs: (F, 3, 2), v up, one per corner of a face.
        albedo: (H, W, 3) u8 sRGB.

    Raises:
        ValueError: arrays that do not fit each other.
    """
    if faces.ndim != 2 or faces.shape[1] != 3 or corner_uvs.shape != (*faces.shape, 2):
        raise ValueError(f"faces {faces.shape} and corner UVs {corner_uvs.shape} do not fit")
    if albedo.ndim != 3 or albedo.shape[2] != 3 or 0 in albedo.shape:
        raise ValueError(f"a texture must be (H, W, 3), not {albedo.shape}")
    if faces.size and int(faces.min()) < 0:
        raise ValueError("a face names a vertex below 0")
    level = torch.as_tensor(np.array(albedo), device=device).permute(2, 0, 1)[None].float() / 255
    triangles = torch.as_tensor(np.array(faces), device=device).long()
    corners = torch.as_tensor(np.array(corner_uvs), device=device).float()
    return Surface(triangles, corners, mip_levels(level))


def sample_surface(surface: Surface, uvs: torch.Tensor, shrink: float) -> torch.Tensor:
    """Return the texture's colours (P, 3), sRGB in [0, 1], at uvs (P, 2).

    shrink: texels of the full texture between two neighbouring samples; up to 1 the texture is
    seen as it is, beyond that two sizes of the pyramid are mixed.
    """
    covered = uvs.new_full(uvs.shape[:1], max(shrink, 1.0))
    return sample_mipmapped(surface.levels, uvs[None], covered[None])[0]
