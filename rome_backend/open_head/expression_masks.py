# SPDX-License-Identifier: Apache-2.0
"""Where each ARKit expression may move the face: smooth masks that end before other parts begin.

Does not know displacements.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64

OUTER_EYE_DISTANCE_MM = 90.0
# How far expressions of the left side fade out beyond the middle, in face millimetres.
BEYOND_MIDDLE = {"brow": 5.0, "eye": 1.0, "cheek": 7.0, "nose": 7.0, "mouth": 11.0}
WHOLE = ("jawLeft", "mouthLeft")
# Half axes in face millimetres of the ellipses round an eye where expressions act fully, and end.
ROUND_EYE = ((21.0, 17.0), (29.0, 25.0))
# From where to where expressions fade upwards (mouth, cheek) or downwards (brow), in parts of the
# way from the mouth (0) to the eyes (1); the chin is near -0.75, the brows near 1.35.
LINES = {
    "jaw": (0.55, 0.80), "mouthSmile": (0.80, 0.98), "mouth": (0.75, 0.95),
    "cheekSquint": (0.80, 0.93), "eyeSquint": (0.80, 0.93), "brow": (1.05, 0.97),
}  # fmt: skip
BOTTOM = {"cheekSquint": (0.35, 0.05), "eyeSquint": (0.6, 0.3)}
ALSO_EYE = ("cheekSquint", "eyeSquint", "mouthSmile", "brow")
UPPER_LIP_KEYS = ("mouthRollUpper", "mouthShrugUpper", "mouthUpperUpLeft", "noseSneerLeft")
BELOW_UPPER_LIP = (-0.25, -0.5)


def ramp(value: F64, full: float, none: float) -> F64:
    """Return 1 at full and before, 0 at none and beyond, smooth between."""
    part = np.clip((value - none) / (full - none), 0.0, 1.0)
    return part * part * (3 - 2 * part)


def key_mask(name: str, points: F64, landmarks: F64) -> F64:
    """Return how much of an expression each point may move: (N,) in [0, 1].

    name: an ARKit name of the left side or of the middle; points (N, 3) m; landmarks (468, 3) m
    of the same neutral face.
    """
    millimetre = float(np.linalg.norm(landmarks[33] - landmarks[263])) / OUTER_EYE_DISTANCE_MM
    mask = np.ones(len(points))
    group = next((part for part in BEYOND_MIDDLE if name.startswith(part)), "")
    if name.endswith("Left") and name not in WHOLE:
        edge = -BEYOND_MIDDLE[group]
        mask *= ramp(points[:, 0] / millimetre, -0.3 * edge, edge)
    mouth = landmarks[[13, 14], 1].mean()
    eye = landmarks[[263, 362]].mean(axis=0)
    height = (points[:, 1] - mouth) / (eye[1] - mouth)
    line = next((ends for part, ends in LINES.items() if name.startswith(part)), None)
    area = np.zeros(len(points)) if line is None else ramp(height, *line)
    if name.startswith(ALSO_EYE) or line is None:
        area = np.maximum(area, round_eye(points, eye, millimetre))
    mask = mask * area if line is not None or group == "eye" else mask
    for part, ends in BOTTOM.items():
        mask = mask * ramp(height, *ends) if name.startswith(part) else mask
    return mask * ramp(height, *BELOW_UPPER_LIP) if name in UPPER_LIP_KEYS else mask


def round_eye(points: F64, eye: F64, millimetre: float) -> F64:
    """Return 1 round either eye, 0 away from it, for points (N, 3) m; eye (3,) m the left one."""
    away = np.column_stack([np.abs(points[:, 0]), points[:, 1]]) - eye[:2]
    inner, outer = (np.linalg.norm(away / (np.array(axes) * millimetre), axis=1)
                    for axes in ROUND_EYE)  # fmt: skip
    share = (1 - outer) / np.maximum((1 - outer) + (inner - 1), 1e-9)
    part = np.where(inner <= 1, 1.0, np.where(outer >= 1, 0.0, np.clip(share, 0, 1)))
    return part * part * (3 - 2 * part)
