# SPDX-License-Identifier: Apache-2.0
"""The faces of a photo and a thumbnail, for a person to choose from.

Does not know whether a face is good enough for a head.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.messages import FacesFound
from rome_backend.core.types import F32, U8, Photo, TrackedFace
from rome_backend.tracking.face_mesh import SURE, FaceTracker
from rome_backend.tracking.upright import find_faces, opaque

THUMBNAIL_SIDE = 256


def faces_found(request_id: int, photo: Photo, tracker: FaceTracker) -> FacesFound:
    """Return the faces of a photo in the order of `rome create --face`, and the photo made small.

    Boxes are those of the landmarks in px of the upright photo; what may not be a face is left
    out, as create leaves it out.
    """
    upright, faces = find_faces(photo, tracker)
    height, width = upright.rgb.shape[:2]
    sure = [face for face in faces if face.score >= SURE]
    return FacesFound(request_id, width, height, _boxes(sure), _small(opaque(upright)))


def _boxes(faces: list[TrackedFace]) -> F32:
    """Return left, top, right, bottom (n, 4) f32 px."""
    boxes = [
        np.concatenate([face.landmarks[:, :2].min(0), face.landmarks[:, :2].max(0)])
        for face in faces
    ]
    return np.array(boxes, np.float32).reshape(-1, 4)


def _small(rgb: U8) -> U8:
    """Return rgb (h, w, 3) u8 with its longer side at most THUMBNAIL_SIDE."""
    height, width = rgb.shape[:2]
    scale = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.ascontiguousarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
