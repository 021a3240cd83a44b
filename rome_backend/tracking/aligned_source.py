# SPDX-License-Identifier: Apache-2.0
"""A photo with matte and 68 landmarks becomes the aligned source that the networks take.

Does not know networks, nor how matte and landmarks were found.

Source: rome-spec section 2.1. The landmarks of the aligned picture are computed, not detected
again (section 5, rows 15 and 25).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from rome_backend.core.types import F32, F64, U8
from rome_backend.tracking.alignment import (
    ALIGNED_SIDE,
    align_landmarks,
    aligned,
    ffhq_theta,
    landmarks_ndc,
)


@dataclass(frozen=True)
class AlignedSource:
    """What E_tex and E_flame take.

    picture (3, T, T) f32 RGB and matte (1, T, T) f32 in [0, 1]; landmarks (68, 2) f64 NDC of it.
    """

    picture: F32
    matte: F32
    landmarks: F64


def square_around(landmarks: Any) -> tuple[int, int, int]:
    """Return left, top and side px of the square that the release cuts out around a face.

    Twice as wide as the landmarks (L, 2) px, a sixth of their extent higher than their middle;
    it may reach out of the picture.
    """
    points = np.asarray(landmarks, np.float64)
    low, high = points.min(0), points.max(0)
    extent = int((high - low).max())
    x, y = (int(value) for value in np.round((low + high) / 2))
    return x - extent, y - extent // 6 - extent, 2 * extent


def align_source(
    rgb: U8, matte: F32, landmarks: Any, side: int = ALIGNED_SIDE, crop: bool | None = None
) -> AlignedSource:
    """Align a photo for the networks.

    Args:
        rgb: (H, W, 3) u8.
        matte: (H, W) f32 in [0, 1].
        landmarks: (68, 2) px of the photo, iBUG's order.
        side: px of the result; 256 as released.
        crop: cut the face's square out first; None does so when the photo is not square.

    Raises:
        ValueError: a matte of another size, or landmarks that span no face.
    """
    height, width = rgb.shape[:2]
    if matte.shape != (height, width):
        raise ValueError(f"a matte {matte.shape} does not fit a photo {rgb.shape}")
    points = np.asarray(landmarks, np.float64)
    left, top, size = 0, 0, width
    if crop or (crop is None and height != width):
        left, top, size = square_around(points)
        if size == 0:
            raise ValueError("the landmarks span no face")
    elif height != width:
        raise ValueError("a photo that is not square must be cropped")
    box = (left, top, left + size, top + size)
    picture = _resized(Image.fromarray(rgb), box, side) / 255
    soft = _resized(Image.fromarray(np.asarray(matte, np.float32)), box, side)
    points = (points - [left, top]) * side / size
    theta = ffhq_theta(points, side)
    return AlignedSource(
        aligned(np.ascontiguousarray(picture.transpose(2, 0, 1)), theta, side=side),
        np.clip(aligned(soft[None], theta, side=side), 0, 1),
        landmarks_ndc(align_landmarks(points, theta, side, side=side), side),
    )


def _resized(picture: Image.Image, box: tuple[int, int, int, int], side: int) -> F32:
    """Return the box (black outside the picture) as (side, side, ...) f32, by Lanczos."""
    cut = picture.crop(box).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(cut, np.float32)
