# SPDX-License-Identifier: Apache-2.0
"""What happens to a rendered head's soft mask: threshold, opening, a plain ground behind.

Does not know how picture and mask were made.

Source: rome-spec section 2.9. The released code means a 9 x 9 opening but hands OpenCV an array
that it reads as one row of many channels, so what it does is 9 x 1, along the columns alone
(section 5, row 12): ``legacy`` does the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional

MASK_THRESHOLD = 0.6
_KERNEL = 9


def opened_mask(mask: torch.Tensor, legacy: bool = False) -> torch.Tensor:
    """Return the morphological opening of a mask (..., H, W) of zeros and ones, same dtype.

    What is thinner than 9 px (with legacy: lower than 9 px) goes. Outside the picture nothing
    erodes and nothing grows.
    """
    flat = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    eroded = -_grown(-flat, legacy)
    grown = _grown(eroded, legacy)
    return grown.reshape(mask.shape).to(mask.dtype)


def _grown(values: torch.Tensor, columns_only: bool) -> torch.Tensor:
    """Return the largest value of the window round each pixel, one direction after the other."""
    tall = _largest(values, -2)
    return tall if columns_only else _largest(tall, -1)


def _largest(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Return the largest of the nine values round each along one direction, by doubling."""
    length, reach = values.shape[dim], _KERNEL // 2
    edges = (reach, reach, 0, 0) if dim == -1 else (0, 0, reach, reach)
    padded = functional.pad(values, edges, value=-torch.inf)
    largest = padded
    for step in (1, 2, 4):  # of windows of 2, 4 and 8
        rest = largest.shape[dim] - step
        largest = torch.maximum(largest.narrow(dim, 0, rest), largest.narrow(dim, step, rest))
    return torch.maximum(largest.narrow(dim, 0, length), padded.narrow(dim, 2 * reach, length))


def on_plain_ground(
    picture: torch.Tensor,
    soft_mask: torch.Tensor,
    ground: float = 1.0,
    threshold: float = MASK_THRESHOLD,
    legacy: bool = False,
) -> torch.Tensor:
    """Return pictures (N, C, H, W) where the opened mask holds, and the ground elsewhere.

    soft_mask (N, 1, H, W) in [0, 1]; a pixel belongs to the head above the threshold (strictly).
    """
    kept = opened_mask(soft_mask > threshold, legacy)
    return torch.where(kept, picture, torch.full_like(picture, ground))
