# SPDX-License-Identifier: Apache-2.0
"""Bilinear texture sampling, the only place that turns UVs into texels.

Does not know what a texture holds.

UVs are in [0, 1] with v up: texel (row i, column j) of a T x T texture has its centre at
u = (j + 0.5) / T, v = 1 - (i + 0.5) / T.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional


def sample_texture(
    texture: torch.Tensor, uvs: torch.Tensor, padding: str = "border"
) -> torch.Tensor:
    """Sample a texture bilinearly.

    Args:
        texture: (N, C, T, T) float.
        uvs: (N, ..., 2), v up.
        padding: "border" repeats the outermost texels, "zeros" is what the released networks saw.

    Returns:
        (N, ..., C).
    """
    grid = torch.stack([2 * uvs[..., 0] - 1, 1 - 2 * uvs[..., 1]], dim=-1)
    count, channels = texture.shape[:2]
    values = functional.grid_sample(
        texture,
        grid.reshape(count, 1, -1, 2),
        mode="bilinear",
        padding_mode=padding,
        align_corners=False,
    )
    return values[:, :, 0].transpose(1, 2).reshape(*uvs.shape[:-1], channels)


def uv_image_ndc(uvs: torch.Tensor) -> torch.Tensor:
    """Lay UVs (..., 2) out as image NDC vertices (..., 3), z 1: rasterizing them gives texels."""
    u, v = uvs[..., 0], uvs[..., 1]
    return torch.stack([2 * u - 1, 1 - 2 * v, torch.ones_like(u)], dim=-1)
