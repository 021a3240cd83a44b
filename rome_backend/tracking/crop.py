# SPDX-License-Identifier: Apache-2.0
"""Cuts the square round head and shoulders out of a photo, with the person's matte.

Does not know how landmarks or mattes are made.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rome_backend.core.types import F32, F64, U8, HeadCrop, Mask, Photo, TrackedFace
from rome_backend.tracking.face_mesh import MESH_COUNT
from rome_backend.tracking.limbs import without_limbs
from rome_backend.tracking.sampling import inside, sample_square
from rome_backend.tracking.upright import opaque

Matter = Callable[[U8, Mask | None], F32]

MARGIN = 1.55
_RAISED = 0.12
_SURE_SHARE = 0.95
_MINIMUM_SIZE = 256
_LARGEST_SIZE = 2048
_OPAQUE_FACE = 0.9
_CLEAR = 0.1
_CLEAR_SHARE = 0.02


def head_crop(
    photo: Photo,
    face: TrackedFace,
    matter: Matter,
    margin: float = MARGIN,
    max_size: int = 1024,
) -> HeadCrop:
    """Return the upright square crop round the head and shoulders of `face`.

    Args:
        matter: makes a matte (C, C) f32 from rgb (C, C, 3) and a mask of sure pixels; not called
            when the photo's own alpha channel shows the person.
        margin: half the crop's side in face heights (longer side of the landmarks' box).
        max_size: largest side in px, at most 2048; otherwise the photo's resolution is kept,
            but not below 256.

    Beyond the photo its border is repeated and `valid` is False. The matte is without raised arms.
    It has 256 levels, those that an avatar keeps, so that work repeated from an avatar meets the
    same numbers.
    """
    points = face.landmarks[:MESH_COUNT, :2].astype(np.float64)
    low, high = points.min(0), points.max(0)
    height = float((high - low).max())
    centre = (low + high) / 2 - [0, _RAISED * height]
    side = 2 * margin * height
    size = int(np.clip(round(side), _MINIMUM_SIZE, min(max_size, _LARGEST_SIZE)))
    step = side / size
    corner = centre - side / 2
    to_photo = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
    to_crop = np.array([[1 / step, 0, -corner[0] / step], [0, 1 / step, -corner[1] / step]])
    landmarks = face.landmarks.astype(np.float64) / step
    landmarks[:, :2] -= corner / step
    hull = _face_mask(landmarks, size)
    matte = _own_matte(photo, to_photo, size, hull)
    if matte is None:
        matte = matter(sample_square(opaque(photo), to_photo, size), hull)
    return HeadCrop(
        rgb=sample_square(photo.rgb, to_photo, size),
        matte=_as_stored(without_limbs(matte, landmarks.astype(np.float32), hull)),
        valid=inside(photo.rgb.shape, to_photo, size),
        photo_to_crop=to_crop,
        landmarks=landmarks.astype(np.float32),
    )


def _as_stored(matte: F32) -> F32:
    return np.floor(np.clip(matte * 255 + 0.5, 0, 255)).astype(np.float32) / np.float32(255)


def _face_mask(landmarks: F64, size: int) -> Mask:
    """Return (C, C) bool: the convex hull of the landmarks, drawn in a little."""
    mask = np.zeros((size, size), np.uint8)
    points = landmarks[:MESH_COUNT, :2]
    middle = points.mean(0)
    drawn_in = middle + _SURE_SHARE * (points - middle)
    hull = cv2.convexHull(np.rint(drawn_in).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return mask > 0


def _own_matte(photo: Photo, to_photo: F64, size: int, hull: Mask) -> F32 | None:
    """Return the photo's alpha as the matte if it covers the face and leaves something out."""
    if photo.alpha is None:
        return None
    alpha = sample_square(photo.alpha, to_photo, size).astype(np.float32) / np.float32(255)
    shown = inside(photo.alpha.shape, to_photo, size)
    if not (hull & shown).any() or float(alpha[hull & shown].mean()) < _OPAQUE_FACE:
        return None
    if float((alpha[shown] < _CLEAR).mean()) < _CLEAR_SHARE:
        return None
    return alpha
