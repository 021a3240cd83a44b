# SPDX-License-Identifier: Apache-2.0
"""Resamples a square region of a picture, averaging when it gets smaller.

Does not know what the region shows. Coordinates are px with (0, 0) the outer corner.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from rome_backend.core.types import F64, U8, Mask

REPEAT, BLACK = cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT
_SHRINK_FROM = 1.5


def sample_square(picture: U8, to_picture: F64, size: int, border: int = REPEAT) -> U8:
    """Return the region as (size, size) or (size, size, C) u8.

    Args:
        picture: (H, W) or (H, W, C) u8.
        to_picture: (2, 3), affine from px of the region to px of the picture; a similarity.
        size: side of the result, px.
        border: REPEAT the border's pixels beyond the picture, or BLACK.
    """
    step = math.hypot(to_picture[0, 0], to_picture[1, 0])
    low, high = _bounds(picture, to_picture, size)
    part = picture[low[1] : high[1], low[0] : high[0]]
    if step > _SHRINK_FROM:
        smaller = [max(1, round(n / step)) for n in (part.shape[1], part.shape[0])]
        part = np.asarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.array([part.shape[1], part.shape[0]]) / (high - low)
    matrix = np.array(to_picture, np.float64)
    matrix[:, 2] -= low
    matrix *= scale[:, None]
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=border), np.uint8
    )


def inside(shape: tuple[int, ...], to_picture: F64, size: int) -> Mask:
    """Return (size, size) bool: whether each pixel's centre lies in a picture of shape (H, W)."""
    middle = np.arange(size) + 0.5
    grid = np.stack(np.meshgrid(middle, middle), -1)
    places = grid @ to_picture[:, :2].T + to_picture[:, 2]
    return np.asarray(((places >= 0) & (places <= [shape[1], shape[0]])).all(-1))


def _bounds(picture: U8, to_picture: F64, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return corners (x, y) of the part that the region touches, never empty."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]])
    places = corners @ to_picture[:, :2].T + to_picture[:, 2]
    extent = np.array([picture.shape[1], picture.shape[0]])
    low = np.clip(np.floor(places.min(0)).astype(int) - 2, 0, extent - 1)
    high = np.clip(np.ceil(places.max(0)).astype(int) + 2, low + 1, extent)
    return low, high
