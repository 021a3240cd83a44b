# SPDX-License-Identifier: Apache-2.0
"""Measures of how well a photo shows a face: detail, contrast of the eyes, flat patches, light.

Does not know what is good enough. The measures are our own.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.types import F64, U8, Mask, Photo, TrackedFace
from rome_backend.tracking.face_mesh import MESH_COUNT, face_extent, region_of_landmarks
from rome_backend.tracking.sampling import sample_square
from rome_backend.tracking.upright import opaque

_SIDE = 192
_FLAT_WINDOW = 7
_FLAT_RANGE = 4
_WHITE = 240
_SHARP = 0.05
_FEW_PIXELS = 24
_RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
_LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)


class FacePicture:
    """One face of a photo, resampled upright to 192 px for measuring and kept at full size."""

    def __init__(self, photo: Photo, face: TrackedFace) -> None:
        rgb = opaque(photo)
        to_picture = region_of_landmarks(face.landmarks).to_picture()
        self._view = sample_square(rgb, to_picture, _SIDE)
        self._grey = cv2.cvtColor(self._view, cv2.COLOR_RGB2GRAY).astype(np.float64)
        offsets = face.landmarks[:MESH_COUNT, :2].astype(np.float64) - to_picture[:, 2]
        self._points = offsets @ np.linalg.inv(to_picture[:, :2]).T
        self._face = _hull(self._points)
        self._full = _face_box(rgb, face)
        self._extent = face_extent(face.landmarks)

    def brightness(self) -> float:
        """Return the mean grey value of the face, 0 to 255."""
        return float(self._grey[self._face].mean())

    def eye_contrast(self) -> float:
        """Return the contrast inside the eyes (mean of both) relative to that of the face."""
        whole = float(self._grey[self._face].std())
        eyes = [self._grey[_hull(self._points[list(eye)])] for eye in (_RIGHT_EYE, _LEFT_EYE)]
        return float(np.mean([eye.std() for eye in eyes])) / max(whole, 1e-6)

    def flat_share(self, bright: bool) -> float:
        """Return the share of the face without any structure: white patches, or darker ones."""
        kernel = np.ones((_FLAT_WINDOW, _FLAT_WINDOW), np.uint8)
        extent = cv2.dilate(self._view, kernel).astype(int) - cv2.erode(self._view, kernel)
        flat = (extent.max(axis=2) <= _FLAT_RANGE) & self._face
        white = self._grey > _WHITE
        return float((flat & (white if bright else ~white)).sum() / self._face.sum())

    def detail(self) -> float:
        """Return the height in px that the face would need to show as much detail as it does.

        Equal neighbouring pixels are counted out (blocks of a picture that was scaled up), and
        octaves that hold less than 5 % of the face's contrast (blur).
        """
        box = self._full
        if min(box.shape) < 2:
            return 0.0
        equal = [float((np.abs(np.diff(box, axis=axis)) < 0.5).mean()) for axis in (0, 1)]
        return min(self._extent * (1 - sum(equal) / 2), self._extent / 2 ** _empty_octaves(box))


def _empty_octaves(grey: F64) -> int:
    """Return how often (H, W) can be halved before detail of 5 % of its contrast is lost."""
    contrast = max(float(grey.std()), 1e-6)
    halvings = 0
    while min(grey.shape) >= _FEW_PIXELS:
        height, width = grey.shape
        half = cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        lost = grey - cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR)
        if float(np.sqrt((lost**2).mean())) > _SHARP * contrast:
            break
        grey = np.asarray(half, np.float64)
        halvings += 1
    return halvings


def _hull(points: F64) -> Mask:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    hull = cv2.convexHull(np.rint(points).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return mask > 0


def _face_box(rgb: U8, face: TrackedFace) -> F64:
    """Return the grey pixels (h, w) f64 of the box round the face, at the photo's resolution."""
    points = face.landmarks[:MESH_COUNT, :2]
    extent = [rgb.shape[1], rgb.shape[0]]
    low = np.clip(np.floor(points.min(0)).astype(int), 0, extent)
    high = np.clip(np.ceil(points.max(0)).astype(int), low, extent)
    box = rgb[low[1] : high[1], low[0] : high[0]]
    if box.size == 0:
        return np.zeros((0, 0))
    return np.asarray(cv2.cvtColor(box, cv2.COLOR_RGB2GRAY), np.float64)
