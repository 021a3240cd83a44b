# SPDX-License-Identifier: Apache-2.0
"""Decides whether a face in a photo can become a head: yes, yes with warnings, or no and why.

Does not know how faces are found or fitted. The measures and limits are our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rome_backend.core.errors import PhotoRefused, UsageError
from rome_backend.core.landmarks import interocular_distance
from rome_backend.core.types import F32, FaceFit, Photo, TrackedFace
from rome_backend.tracking.face_measures import FacePicture
from rome_backend.tracking.face_mesh import MESH_COUNT, SURE, face_extent

_CERTAIN = 0.75
_SMALLEST_FACE = 30.0
_SMALL_FACE = 90.0
# Heads drawn at known angles: the tracker's cheeks say 30 at 35 degrees, 41 at 50 and 44 to 52 at
# 60 to 70, where it grows unsure; beyond they say no more.
_TURNED, _SIDEWAYS, _PROFILE = 30.0, 44.0, 58.0
_PERHAPS = 0.25
# Inner lips apart, in parts of the distance of the outer eye corners: laughs reach 0.18.
_MOUTH_OPEN = 0.25
# Length of the expression without the eyes' keys: broad smiles reach 1.5, screams start at 1.6.
_STRONG = 1.65
_OUTSIDE_WARN, _OUTSIDE_REFUSE = 0.01, 0.5
_OTHER_FACE = 0.3
_HIDDEN_EYE = 0.3
_COVERED = 0.05
_BURNT = 0.2
_DARK = 25.0
_RIGHT_CHEEK, _LEFT_CHEEK = 234, 454
_UPPER_LIP, _LOWER_LIP = 13, 14


def judge(photo: Photo, faces: Sequence[TrackedFace], chosen: int = 0) -> tuple[str, ...]:
    """Return the warnings about the chosen face of `photo`, in a fixed order.

    'face_uncertain': it may not be human; 'several_faces': others are about as large;
    'face_cut_off': a part lies outside the photo; 'face_turned': more than about 35 degrees;
    'mouth_open': as in a scream; 'face_small': less than 90 px high; 'low_detail': as blurred or
    blocky as that; 'eyes_hidden': sunglasses or the like; 'face_covered': a dark bar or the like;
    'overexposed', 'underexposed'.

    Args:
        faces: all faces of the photo, largest first.
        chosen: index of the face that is wanted.

    Raises:
        PhotoRefused: 'no_face', 'face_too_small', 'face_cut_off', 'face_turned'.
        UsageError: 'face_number' when there is no face `chosen`.
    """
    if not faces or faces[0].score < SURE:
        if faces and seen_from_the_side(faces[0]):
            raise _from_the_side(photo)
        raise PhotoRefused(
            "no_face",
            f"No human face was found in {photo.name}.",
            "Use a photo that shows one face from the front, upright and well lit.",
        )
    if not 0 <= chosen < len(faces):
        raise UsageError(
            "face_number",
            f"There is no face {chosen}: {photo.name} shows {len(faces)}, numbered from 0.",
            "Choose one of them; the largest is face 0.",
        )
    face = faces[chosen]
    outside = outside_share(face.landmarks, photo)
    _refuse(photo, face, outside)
    picture = FacePicture(photo, face)
    detail = picture.detail()
    extent = face_extent(face.landmarks)
    rivals = [f for f in faces if face_extent(f.landmarks) > _OTHER_FACE * extent]
    found = {
        "face_uncertain": face.score < _CERTAIN,
        "several_faces": len(rivals) > 1,
        "face_cut_off": outside > _OUTSIDE_WARN,
        "face_turned": abs(landmark_yaw(face.landmarks)) > _TURNED,
        "mouth_open": mouth_opening(face.landmarks) > _MOUTH_OPEN,
        "face_small": extent < _SMALL_FACE,
        "low_detail": detail < _SMALL_FACE <= extent,
        "eyes_hidden": picture.eye_contrast() < _HIDDEN_EYE,
        "face_covered": picture.flat_share(bright=False) > _COVERED,
        "overexposed": picture.flat_share(bright=True) > _BURNT,
        "underexposed": picture.brightness() < _DARK,
    }
    return tuple(code for code, holds in found.items() if holds)


def judge_fit(fit: FaceFit, names: Sequence[str]) -> tuple[str, ...]:
    """Return the warnings about a fitted face, whose expression has keys of these ARKit names.

    'strong_expression': a scream or a grimace, more than a smile or closed eyes.
    """
    counted = np.array([not name.startswith(("eye", "Exp")) for name in names], dtype=bool)
    size = float(np.linalg.norm(np.asarray(fit.params.expression)[counted]))
    return ("strong_expression",) if size > _STRONG else ()


def _refuse(photo: Photo, face: TrackedFace, outside: float) -> None:
    if face_extent(face.landmarks) < _SMALLEST_FACE:
        raise PhotoRefused(
            "face_too_small",
            f"The face in {photo.name} is only {face_extent(face.landmarks):.0f} pixels high.",
            "Use a photo in which the face is at least 100 pixels high.",
        )
    if outside > _OUTSIDE_REFUSE:
        raise PhotoRefused(
            "face_cut_off",
            f"Most of the face lies outside {photo.name}.",
            "Use a photo that shows the whole face.",
        )
    if seen_from_the_side(face):
        raise _from_the_side(photo)


def _from_the_side(photo: Photo) -> PhotoRefused:
    return PhotoRefused(
        "face_turned",
        f"The face in {photo.name} is seen from the side.",
        "Use a photo in which both eyes can be seen.",
    )


def seen_from_the_side(face: TrackedFace) -> bool:
    """Return whether a face is a profile: turned so far that the tracker doubts it, or further."""
    yaw = abs(landmark_yaw(face.landmarks))
    return yaw > _PROFILE or (yaw > _SIDEWAYS and _PERHAPS < face.score < _CERTAIN)


def mouth_opening(landmarks: F32) -> float:
    """Return how far the inner lips are apart, in parts of the outer eye corners' distance.

    landmarks (478, 3) px.
    """
    gap = np.linalg.norm(landmarks[_UPPER_LIP] - landmarks[_LOWER_LIP])
    return float(gap / max(interocular_distance(landmarks), 1e-6))


def outside_share(landmarks: F32, photo: Photo) -> float:
    """Return the share of the 468 mesh landmarks that lie outside the photo."""
    height, width = photo.rgb.shape[:2]
    x, y = landmarks[:MESH_COUNT, 0], landmarks[:MESH_COUNT, 1]
    return float(((x < 0) | (x > width) | (y < 0) | (y > height)).mean())


def landmark_yaw(landmarks: F32) -> float:
    """Return how far the face is turned about its vertical axis, degrees.

    From the line between the cheeks of landmarks (478, 3); positive when the subject's right
    cheek is nearer to the camera.
    """
    across = landmarks[_LEFT_CHEEK] - landmarks[_RIGHT_CHEEK]
    return math.degrees(math.atan2(float(across[2]), math.hypot(across[0], across[1])))
