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
    kernel = (_KERNEL, 1 if legacy else _KERNEL)
    padding = (_KERNEL // 2, 0 if legacy else _KERNEL // 2)
    flat = mask.reshape(-1, 1, *mask.shape[-2:]).float()
    eroded = -functional.max_pool2d(-flat, kernel, stride=1, padding=padding)
    grown = functional.max_pool2d(eroded, kernel, stride=1, padding=padding)
    return grown.reshape(mask.shape).to(mask.dtype)


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
