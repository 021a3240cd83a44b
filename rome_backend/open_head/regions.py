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
from rome_backend.open_head.skinning_weights import neck_weights
from rome_backend.open_head.surface import Skin
from rome_backend.open_head.teeth import TONGUE_VERTICES, gums

EYE_REGION_HALF_SIZE = np.array([0.025, 0.017])
# Neck below this line in the sagittal plane: height at z = -60 mm and slope towards the back.
NECK_HEIGHT, NECK_SLOPE = -0.058, 0.2
SIDEBURN_HEIGHT = -0.02
BEHIND_EARS = -0.08
LEFT_BROW = (336, 296, 334, 293, 300)
BROW_MARGIN = 0.002
NOSE_ROOT_HALF_WIDTH = 0.009


def build_regions(skin: Skin) -> dict[str, Mask]:
    """Return name -> (V,) bool. Hair, neck, face and ears do not overlap.

    face: MediaPipe's area, lips and lids included; forehead, nose, lips: parts of it;
    left_eye_region, right_eye_region: lids, surroundings and socket; ears; hair: scalp, temples,
    behind the ears down to the nape; neck: from below jaw and nape to the hem, shoulders: its
    part below the pit of the neck; mouth_inside; left_eyeball, right_eyeball; teeth, gums, tongue.
    """
    count = len(skin.vertices)
    face = _mask(count, skin.face)
    ears = _mask(count, np.concatenate([skin.both(ring) for ring in skin.ear]))
    mouth = _mask(count, np.concatenate([skin.both(ring) for ring in skin.mouth[1:]]))
    sockets = _mask(count, np.concatenate([skin.both(ring) for ring in skin.socket[1:]]))
    neck, hair = _neck_and_hair(skin.vertices, ~(face | ears | mouth | sockets))
    x, eye = skin.vertices[:, 0], _eye_surroundings(skin) & face | sockets
    parts = {
        "face": face,
        "forehead": face & _above_brows(skin.vertices),
        "nose": face & _on_nose(skin.vertices),
        "lips": _between_landmarks(skin, UPPER_LIP + LOWER_LIP),
        "left_eye_region": eye & (x > 0),
        "right_eye_region": eye & (x < 0),
        "ears": ears,
        "hair": hair,
        "neck": neck,
        "shoulders": neck & (neck_weights(skin.vertices) == 0),
        "mouth_inside": mouth,
    }
    return with_inner_parts(parts)


def with_inner_parts(skin_parts: dict[str, Mask]) -> dict[str, Mask]:
    """Return masks of the skin (Vs,) lengthened to all vertices, and those of the other meshes."""
    eye = np.ones(EYEBALL_VERTICES, dtype=bool)
    gum = np.tile(gums(), 2)
    others = {
        "left_eyeball": (eye, ~eye, gum & False, TONGUE_VERTICES * [False]),
        "right_eyeball": (~eye, eye, gum & False, TONGUE_VERTICES * [False]),
        "teeth": (~eye, ~eye, ~gum, TONGUE_VERTICES * [False]),
        "gums": (~eye, ~eye, gum, TONGUE_VERTICES * [False]),
        "tongue": (~eye, ~eye, gum & False, TONGUE_VERTICES * [True]),
    }
    inner = {name: np.concatenate(masks).astype(bool) for name, masks in others.items()}
    count, rest = len(next(iter(skin_parts.values()))), len(inner["teeth"])
    regions = {name: np.r_[part, np.zeros(rest, bool)] for name, part in skin_parts.items()}
    return regions | {name: np.r_[np.zeros(count, bool), mask] for name, mask in inner.items()}


def _mask(count: int, members: I32) -> Mask:
    mask = np.zeros(count, dtype=bool)
    mask[members] = True
    return mask


def _neck_and_hair(vertices: F64, remaining: Mask) -> tuple[Mask, Mask]:
    y, z = vertices[:, 1], vertices[:, 2]
    neck = remaining & (y < NECK_HEIGHT + NECK_SLOPE * (z + 0.06))
    hair = remaining & ~neck & ((y > SIDEBURN_HEIGHT) | (z < BEHIND_EARS))
    return neck, hair


def _above_brows(vertices: F64) -> Mask:
    """Return what lies above the brows' upper landmarks, which fall towards the temples."""
    brow = vertices[list(LEFT_BROW)]
    order = np.argsort(brow[:, 0])
    line = np.interp(np.abs(vertices[:, 0]), brow[order, 0], brow[order, 1])
    return vertices[:, 1] > line + BROW_MARGIN


def _on_nose(vertices: F64) -> Mask:
    """Return what lies between the nose's root, its wings and its base."""
    root, wing, base = vertices[168], vertices[358], vertices[2]
    down = np.clip((root[1] - vertices[:, 1]) / (root[1] - wing[1]), 0, 1)
    half = NOSE_ROOT_HALF_WIDTH + down * (wing[0] - NOSE_ROOT_HALF_WIDTH)
    between = (vertices[:, 1] < root[1]) & (vertices[:, 1] > base[1] - 1e-4)
    return between & (np.abs(vertices[:, 0]) < half + 1e-4) & (vertices[:, 2] > wing[2] - 0.02)


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
