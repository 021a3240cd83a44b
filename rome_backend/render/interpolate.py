# SPDX-License-Identifier: Apache-2.0
"""Spreads attributes of corners or vertices over the pixels of fragments, differentiably.

Does not know what the attributes mean.
"""

from __future__ import annotations

import torch

from rome_backend.render.fragments import Fragments


def interpolate_corners(fragments: Fragments, attributes: torch.Tensor) -> torch.Tensor:
    """Interpolate attributes of face corners.

    Args:
        fragments: (N, H, W).
        attributes: (F, 3, C) or one set per picture (N, F, 3, C).

    Returns:
        (N, H, W, C), 0 where no face is.
    """
    count, height, width = fragments.face_index.shape
    pixel, corner, weights = covered_pixels(fragments, attributes.shape[-3])
    if attributes.ndim == 3:
        corner = corner % attributes.shape[0]
    channels = attributes.shape[-1]
    rows = attributes.reshape(-1, 3 * channels).index_select(0, corner)
    first, second, third = rows.view(-1, 3, channels).unbind(1)
    values = torch.addcmul(first * weights[:, :1], second, weights[:, 1:2])
    values = torch.addcmul(values, third, weights[:, 2:])
    out = values.new_zeros(count * height * width, values.shape[-1])
    return out.index_copy(0, pixel, values).view(count, height, width, -1)


def interpolate_vertices(
    fragments: Fragments, faces: torch.Tensor, attributes: torch.Tensor
) -> torch.Tensor:
    """Interpolate attributes (V, C) or (N, V, C) of vertices; else as interpolate_corners."""
    return interpolate_corners(fragments, attributes[..., faces.long(), :])


def covered_pixels(
    fragments: Fragments, face_count: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """List the covered pixels.

    Returns:
        flat pixel index into (N H W) (P,), face index plus face_count times the picture's
        number (P,), barycentrics (P, 3).
    """
    index = fragments.face_index.flatten()
    pixel = (index >= 0).nonzero()[:, 0]
    picture = pixel // (fragments.face_index.shape[1] * fragments.face_index.shape[2])
    weights = fragments.barycentric.view(-1, 3).index_select(0, pixel)
    return pixel, index[pixel].long() + picture * face_count, weights
