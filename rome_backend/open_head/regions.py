# SPDX-License-Identifier: Apache-2.0
"""Names the parts of the head as vertex masks.

Does not know what is done with them: textures, offsets and rigs read them by name.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64, I32, Mask
from rome_backend.open_head.geometry import EYEBALL_VERTICES, FACE_LANDMARKS
from rome_backend.open_head.landmark_sets import LOWER_LIP, UPPER_LIP
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.surface import Skin

EYE_REGION_HALF_SIZE = np.array([0.025, 0.017])
# Neck below this line in the sagittal plane: height at z = -60 mm and slope towards the back.
NECK_HEIGHT, NECK_SLOPE = -0.058, 0.2
SIDEBURN_HEIGHT = -0.02
BEHIND_EARS = -0.08


def build_regions(skin: Skin) -> dict[str, Mask]:
    """Return name -> (5023,) bool. Hair, neck, face and ears do not overlap.

    face: MediaPipe's area, lips and lids included; lips; left_eye_region, right_eye_region: lids,
    surroundings and socket; ears; hair: scalp, temples, behind the ears down to the nape;
    neck: from below jaw and nape to the shoulders; mouth_inside; left_eyeball, right_eyeball.
    """
    count = len(skin.vertices)
    face = _mask(count, skin.face)
    ears = _mask(count, np.concatenate([skin.both(ring) for ring in skin.ear]))
    inside_lips = (*skin.mouth[1:], skin.splits)
    mouth = _mask(count, np.concatenate([skin.both(ring) for ring in inside_lips]))
    sockets = _mask(count, np.concatenate([skin.both(ring) for ring in skin.socket[1:]]))
    neck, hair = _neck_and_hair(skin.vertices, ~(face | ears | mouth | sockets))
    x, eye = skin.vertices[:, 0], _eye_surroundings(skin) & face | sockets
    parts = {
        "face": face,
        "lips": _between_landmarks(skin, UPPER_LIP + LOWER_LIP),
        "left_eye_region": eye & (x > 0),
        "right_eye_region": eye & (x < 0),
        "ears": ears,
        "hair": hair,
        "neck": neck,
        "mouth_inside": mouth,
    }
    total = count + 2 * EYEBALL_VERTICES
    regions = {name: np.r_[part, np.zeros(total - count, bool)] for name, part in parts.items()}
    numbers = np.arange(total)
    regions["left_eyeball"] = (numbers >= count) & (numbers < count + EYEBALL_VERTICES)
    regions["right_eyeball"] = numbers >= count + EYEBALL_VERTICES
    return regions


def _mask(count: int, members: I32) -> Mask:
    mask = np.zeros(count, dtype=bool)
    mask[members] = True
    return mask


def _neck_and_hair(vertices: F64, remaining: Mask) -> tuple[Mask, Mask]:
    y, z = vertices[:, 1], vertices[:, 2]
    neck = remaining & (y < NECK_HEIGHT + NECK_SLOPE * (z + 0.06))
    hair = remaining & ~neck & ((y > SIDEBURN_HEIGHT) | (z < BEHIND_EARS))
    return neck, hair


def _eye_surroundings(skin: Skin) -> Mask:
    centre = skin.vertices[skin.socket[0]].mean(axis=0)
    folded = np.column_stack([np.abs(skin.vertices[:, 0]), skin.vertices[:, 1]])
    away = folded - centre[:2]
    return ((away / EYE_REGION_HALF_SIZE) ** 2).sum(axis=1) < 1


def _between_landmarks(skin: Skin, landmarks: tuple[int, ...]) -> Mask:
    """Return the landmarks and the fine vertices that lie only between them."""
    chosen = _mask(len(skin.vertices), np.array(landmarks))
    fine = np.setdiff1d(skin.face, np.arange(FACE_LANDMARKS))
    near = adjacency(skin.faces, len(skin.vertices))[fine][:, :FACE_LANDMARKS]
    outside = near @ (~chosen[:FACE_LANDMARKS]).astype(float)
    inside = near @ chosen[:FACE_LANDMARKS].astype(float)
    chosen[fine[(outside == 0) & (inside > 0)]] = True
    return chosen
