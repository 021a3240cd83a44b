# SPDX-License-Identifier: Apache-2.0
"""Finds the faces of a photo whichever way up it is, and turns the photo so that they are upright.

Does not know how faces are found or whether they are good enough.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rome_backend.core.landmarks import OUTER_EYE_CORNERS
from rome_backend.core.types import U8, Photo, TrackedFace
from rome_backend.tracking.face_mesh import SURE, FaceTracker

_LARGE_TILES = (1.0, 0.6)
_CERTAIN = 0.9
_GREY = 128


def find_faces(photo: Photo, tracker: FaceTracker) -> tuple[Photo, list[TrackedFace]]:
    """Return the photo, turned by a multiple of 90 degrees if its faces are, and its faces.

    The photo is searched as it stands first; while that shows no certain face it is turned each
    way, and the surest face decides (an upside-down face can pass for an upright one, but only
    just). A turned photo carries the warning 'photo_rotated'. The list is empty when there is no
    face.
    """
    faces = tracker.track(opaque(photo))
    score = faces[0].score if faces else 0.0
    turns = _turns(faces[0]) if score >= SURE else 0
    if score < _CERTAIN:
        for tried in (1, 3, 2):
            seen = tracker.track(opaque(_turned(photo, tried)), _LARGE_TILES)
            if seen and seen[0].score >= _CERTAIN and seen[0].score > score:
                score, turns = seen[0].score, (tried + _turns(seen[0])) % 4
    if turns == 0:
        return photo, faces
    turned = _turned(photo, turns)
    return turned, tracker.track(opaque(turned))


def opaque(photo: Photo) -> U8:
    """Return the photo's rgb (H, W, 3) composited over mid grey by its alpha."""
    if photo.alpha is None:
        return photo.rgb
    cover = photo.alpha[..., None].astype(np.float32) / 255
    blended = photo.rgb * cover + _GREY * (1 - cover)
    return np.rint(blended).astype(np.uint8)


def _turns(face: TrackedFace) -> int:
    """Return how many quarter turns counter-clockwise make the face upright."""
    right, left = face.landmarks[list(OUTER_EYE_CORNERS), :2]
    angle = math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
    return round(angle / (math.pi / 2)) % 4


def _turned(photo: Photo, turns: int) -> Photo:
    rgb = np.ascontiguousarray(np.rot90(photo.rgb, turns))
    alpha = None if photo.alpha is None else np.ascontiguousarray(np.rot90(photo.alpha, turns))
    return replace(photo, rgb=rgb, alpha=alpha, warnings=(*photo.warnings, "photo_rotated"))
