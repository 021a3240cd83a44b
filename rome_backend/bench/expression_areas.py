# SPDX-License-Identifier: Apache-2.0
"""Which part of the head each ARKit expression may move: one table, and the parts as masks.

Does not know how expressions are made or measured.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.landmarks import OUTER_EYE_CORNERS, landmark_points
from rome_backend.core.types import F64, HeadModel, Mask

OUTER_EYE_DISTANCE_MM = 90.0
# What muscles of one side pull over the middle of the face, in face millimetres.
OVER_THE_MIDDLE = {"brow": 6.0, "eye": 2.0, "cheek": 8.0, "nose": 8.0, "mouth": 12.0}
# Sided expressions stand here without Left and Right.
AREAS_OF = {
    "eyeBlink": ("eye",),
    "eyeLookDown": ("eye",),
    "eyeLookIn": ("eye",),
    "eyeLookOut": ("eye",),
    "eyeLookUp": ("eye",),
    "eyeSquint": ("eye", "cheek"),
    "eyeWide": ("eye", "forehead"),
    "browDown": ("forehead", "eye", "nose"),
    "browInnerUp": ("forehead", "eye", "nose"),
    "browOuterUp": ("forehead", "eye"),
    "cheekPuff": ("cheek", "mouth", "chin"),
    "cheekSquint": ("cheek", "eye", "nose"),
    "noseSneer": ("nose", "eye", "cheek", "mouth", "forehead"),
    "jawForward": ("mouth", "cheek", "chin", "throat"),
    "jawSide": ("mouth", "cheek", "chin", "throat"),
    "jawOpen": ("mouth", "cheek", "chin", "throat"),
    "mouthClose": ("mouth", "cheek", "chin", "throat"),
    "mouthFunnel": ("mouth", "cheek", "chin", "nose"),
    "mouthPucker": ("mouth", "cheek", "chin", "nose"),
    "mouthSide": ("mouth", "cheek", "chin", "nose"),
    "mouthSmile": ("mouth", "cheek", "chin", "nose", "eye"),
    "mouthFrown": ("mouth", "cheek", "chin"),
    "mouthDimple": ("mouth", "cheek", "chin"),
    "mouthStretch": ("mouth", "cheek", "chin", "throat"),
    "mouthRollLower": ("mouth", "cheek", "chin"),
    "mouthRollUpper": ("mouth", "cheek", "nose"),
    "mouthShrugLower": ("mouth", "cheek", "chin"),
    "mouthShrugUpper": ("mouth", "cheek", "nose"),
    "mouthPress": ("mouth", "cheek", "chin"),
    "mouthLowerDown": ("mouth", "cheek", "chin"),
    "mouthUpperUp": ("mouth", "cheek", "nose"),
    "tongueOut": ("tongue", "mouth", "cheek", "chin", "throat"),  # the mouth opens a little
}
WHOLE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")  # sided by name, of the whole face
LINES = {"brow": (105, 334), "eye": (33, 133, 263, 362), "nose": (2,), "chin": (152,)}


def sided(name: str) -> tuple[str, str]:
    """Return an ARKit name's row in the table and its side, "Left", "Right" or ""."""
    for side in ("Left", "Right"):
        if name.endswith(side):
            base = name.removesuffix(side)
            return (base + "Side", "") if name in WHOLE else (base, side)
    return name, ""


def allowed(name: str, areas: dict[str, Mask], x_mm: F64) -> Mask:
    """Return the vertices (V,) that an ARKit expression may move.

    areas: from `face_areas`; x_mm (V,): from `face_millimetres`. Raises KeyError for a name that
    is not ARKit's.
    """
    base, side = sided(name)
    union = np.logical_or.reduce([areas[area] for area in AREAS_OF[base]])
    if not side:
        return union
    group = next(part for part in OVER_THE_MIDDLE if base.startswith(part))
    across = x_mm if side == "Left" else -x_mm
    return union & (across > -OVER_THE_MIDDLE[group])


def face_millimetres(head: HeadModel) -> F64:
    """Return the template (V, 3) from the point between the lips, in face millimetres.

    A face millimetre is a ninetieth of the distance between the outer corners of the eyes.
    """
    landmarks = landmark_points(head.template.astype(np.float64), head.faces, head.landmarks)
    left, right = landmarks[OUTER_EYE_CORNERS[1]], landmarks[OUTER_EYE_CORNERS[0]]
    unit = float(np.linalg.norm(left - right)) / OUTER_EYE_DISTANCE_MM
    return (head.template.astype(np.float64) - (landmarks[13] + landmarks[14]) / 2) / unit


def face_areas(head: HeadModel) -> dict[str, Mask]:
    """Return the areas' names and their vertices (V,).

    eye: lids, sockets, eyeballs and what lies round them, both sides; forehead: above the eyes
    up to 75 mm; nose: with its root and the folds beside its wings; cheek: between lower lid and
    jaw; mouth: lips, their surroundings and the mouth's inside; chin: below the lips, with the
    jaw's lower edge; throat: down to 75 mm below the chin; tongue. Areas overlap.
    """
    points = face_millimetres(head)
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    landmarks = landmark_points(points, head.faces, head.landmarks)
    brow, eye, nose, chin = (landmarks[list(LINES[key]), 1].mean() for key in LINES)
    eye_x = float(np.abs(landmarks[list(LINES["eye"]), 0]).mean())
    in_front = z > landmarks[[234, 454], 2].mean()
    inside = _regions(head, "mouth_inside", "teeth", "gums", "tongue")
    skin = ~inside & ~_regions(head, "left_eyeball", "right_eyeball")
    areas: dict[str, Mask] = {
        "eye": ((x - eye_x) / 30) ** 2 + ((y - eye) / 26) ** 2 < 1,
        "forehead": in_front & (y > eye) & (y < brow + 75) & skin,
        "nose": in_front & (x < 30) & (y > nose - 8) & (y < brow + 8) & skin,
        "cheek": in_front & (x > 6) & (y < eye - 4) & (y > chin - 12) & skin,
        "mouth": in_front & (x < 48) & (y < nose + 8) & (y > chin) & skin | inside,
        "chin": in_front & (y < 2) & (y > chin - 20) & skin | inside,
        "throat": in_front & (y < chin + 25) & (y > chin - 75) & skin,
        "tongue": _regions(head, "tongue"),
    }
    areas["eye"] = areas["eye"] & in_front | _regions(head, "left_eyeball", "right_eyeball")
    areas["eye"] |= _regions(head, "left_eye_region", "right_eye_region")
    return areas


def _regions(head: HeadModel, *names: str) -> Mask:
    """Return the union (V,) of the regions that the head has."""
    found = [head.regions[name] for name in names if name in head.regions]
    empty = np.zeros(len(head.template), dtype=bool)
    return np.logical_or.reduce([empty, *found])
