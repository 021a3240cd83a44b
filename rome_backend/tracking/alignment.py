# SPDX-License-Identifier: Apache-2.0
"""How pictures are cut for the released networks: the FFHQ alignment and DECA's face crop.

Does not know networks, trackers or files, and no torch.

Source: rome-spec sections 2.1 and 2.3. Landmarks are the 68 of iBUG. Pictures are (C, H, W) f32.
NDC positions are -1..1 over the picture, x right, y down; a pixel's centre (column j of W) is at
(2 j + 1) / W - 1, outside is 0, in between is bilinear: torch's grid_sample without
align_corners, which the networks were trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rome_backend.core.types import F32, F64

LANDMARKS = 68
ALIGNED_SIDE = 256
ALIGN_ZOOM = 1.25  # the released zoom-out, so that hair and shoulders stay in the picture
CROP_SIDE = 224
_CROP_MARGIN = 1.1 * 1.25
_FIRST_EYE, _SECOND_EYE = slice(36, 42), slice(42, 48)
_MOUTH_CORNERS = (48, 54)


@dataclass(frozen=True)
class CropBox:
    """A square of a picture in [0, 1] units: its left, top and side."""

    left: float
    top: float
    side: float


def ffhq_theta(landmarks: Any, size: int) -> F64:
    """Return the alignment (2, 3) f64: output (u, v, 1) in NDC to input NDC.

    landmarks (68, 2) px of a size x size picture. The closed form of what the released code fits
    by gradient descent (and which fails beyond 54 degrees of roll; this does not).
    Raises ValueError on another number of landmarks, numbers that are not finite, or landmarks
    that span nothing.
    """
    points = _checked(landmarks)
    first, second = points[_FIRST_EYE].mean(0), points[_SECOND_EYE].mean(0)
    eyes = second - first
    middle = (first + second) / 2
    mouth = points[list(_MOUTH_CORNERS)].mean(0) - middle
    x = eyes + np.array([mouth[1], -mouth[0]])
    length = np.hypot(*x)
    if length == 0:
        raise ValueError("the landmarks span no face")
    x *= max(2.0 * np.hypot(*eyes), 1.8 * np.hypot(*mouth)) / length
    y = np.array([-x[1], x[0]])
    centre = middle + 0.1 * mouth
    return np.stack([2 * x / size, 2 * y / size, 2 * centre / size - 1], axis=1)


def aligned(picture: F32, theta: Any, zoom: float = ALIGN_ZOOM, side: int = ALIGNED_SIDE) -> F32:
    """Return the aligned picture (C, side, side) of a picture (C, H, W).

    The first and last pixel sit at u = -zoom and zoom, as in the released code.
    """
    steps = np.linspace(-1, 1, side) * zoom
    u, v = np.meshgrid(steps, steps)
    places = np.stack([u, v, np.ones_like(u)], -1) @ np.asarray(theta, np.float64).T
    return sample_ndc(picture, places)


def align_landmarks(
    landmarks: Any, theta: Any, size: int, zoom: float = ALIGN_ZOOM, side: int = ALIGNED_SIDE
) -> F64:
    """Return landmarks (L, 2) px of the size x size picture as px of the aligned one.

    The inverse of ``aligned``: with it nobody has to look for landmarks a second time.
    """
    matrix = np.asarray(theta, np.float64)
    ndc = 2 * np.asarray(landmarks, np.float64) / size - 1
    uv = np.linalg.solve(matrix[:, :2], (ndc - matrix[:, 2]).T).T
    return (uv / zoom + 1) / 2 * (side - 1) + 0.5


def landmarks_ndc(landmarks: Any, side: int) -> F64:
    """Return landmarks (L, 2) px of a side x side picture in NDC: px / (side // 2) - 1."""
    return np.asarray(landmarks, np.float64) / (side // 2) - 1


def crop_box(landmarks: Any) -> CropBox:
    """Return DECA's square around landmarks (68, 2) NDC.

    Its side is the mean of the landmarks' width and height times 1.1 times 1.25.
    """
    points = (_checked(landmarks) + 1) / 2
    low, high = points.min(0), points.max(0)
    side = float((high - low).mean()) * _CROP_MARGIN
    if side == 0:
        raise ValueError("the landmarks span no face")
    left, top = (low + high) / 2 - side / 2
    return CropBox(float(left), float(top), side)


def face_crop(picture: F32, box: CropBox, side: int = CROP_SIDE) -> F32:
    """Return the crop (C, side, side) of a picture (C, H, W) that E_flame sees."""
    steps = np.linspace(0, 1, side) * box.side
    x, y = np.meshgrid(2 * (box.left + steps) - 1, 2 * (box.top + steps) - 1)
    return sample_ndc(picture, np.stack([x, y], -1))


def uncropped_camera(camera: Any, box: CropBox) -> F64:
    """Return a camera (3,) s, tx, ty of the crop as that of the whole picture's NDC."""
    scale, x, y = np.asarray(camera, np.float64)
    whole = scale * box.side
    return np.array(
        [
            whole,
            x + 1 / scale + (2 * box.left - 1) / whole,
            y - 1 / scale - (2 * box.top - 1) / whole,
        ]
    )


def sample_ndc(picture: F32, places: F64) -> F32:
    """Sample a picture (C, H, W) bilinearly at NDC places (..., 2) -> (C, ...); outside is 0."""
    channels, height, width = picture.shape
    x = (places[..., 0] + 1) * width / 2 - 0.5
    y = (places[..., 1] + 1) * height / 2 - 0.5
    column, row = np.floor(x), np.floor(y)
    total = np.zeros((channels, *x.shape))
    for down in (0, 1):
        for right in (0, 1):
            weight = (1 - np.abs(x - column - right)) * (1 - np.abs(y - row - down))
            j, i = column + right, row + down
            inside = (j >= 0) & (j < width) & (i >= 0) & (i < height)
            found = picture[
                :, np.where(inside, i, 0).astype(int), np.where(inside, j, 0).astype(int)
            ]
            total += np.where(inside, weight, 0.0) * found
    return total.astype(np.float32)


def _checked(landmarks: Any) -> F64:
    points = np.asarray(landmarks, np.float64)
    if points.shape != (LANDMARKS, 2) or not np.isfinite(points).all():
        raise ValueError(f"there must be {LANDMARKS} finite landmarks, not {points.shape}")
    return points
