# SPDX-License-Identifier: Apache-2.0
"""Expression directions of the open head under ARKit's names.

Does not know photos, tracking or identities: it works on the mean head alone.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F32, F64
from rome_backend.open_head.expression_fields import (
    eye_look_lid_fields,
    landmark_fields,
    mouth_close_field,
)
from rome_backend.open_head.eye_contact import keep_off_eyes
from rome_backend.open_head.geometry import FACE_LANDMARKS, HeadGeometry
from rome_backend.open_head.laplacian import BilaplacianSpread
from rome_backend.open_head.surface_distance import surface_distance

ARKIT_NAMES = (
    ("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft")
    + ("eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight")
    + ("eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward")
    + ("jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft")
    + ("mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight")
    + ("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight")
    + ("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper")
    + ("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight")
    + ("mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp")
    + ("browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight")
    + ("noseSneerLeft", "noseSneerRight")
)
HALVES = ("browInnerUp", "cheekPuff")
MIRROR = np.array([-1.0, 1.0, 1.0])
JAW_OPEN_DEGREES = 22.0
EYE_LOOK_DEGREES = 25.0
JAW, LEFT_EYE = 2, 3
FADE_M = 0.03


def expression_dirs(geometry: HeadGeometry) -> tuple[F32, tuple[str, ...]]:
    """Return the expression directions (V, 3, 51) f32, m at value 1, and their ARKit names.

    All of Apple's 52 blend shapes except tongueOut (the head has no tongue), in Apple's order.
    Left is the subject's left (+X); pairs are exact mirror images. Ears, cranium and the lower
    neck stay at zero. At value 1 no lid enters the eyeball. eyeLook* turn the eyeball by 25
    degrees, jawOpen the jaw by 22. Source: our own.
    """
    spread = LandmarkSpread(geometry)
    points = geometry.landmark_positions[:FACE_LANDMARKS]
    deltas = {name: spread(field) for name, field in landmark_fields(points).items()}
    deltas |= jaw_deltas(geometry)
    close = mouth_close_field(points, deltas["jawOpen"][:FACE_LANDMARKS])
    deltas["mouthClose"] = spread(close)
    deltas |= eye_look_deltas(geometry, spread)
    deltas = {name: keep_off_eyes(geometry, delta) for name, delta in deltas.items()}
    full = with_mirror_images(geometry, deltas)
    return np.stack([full[name] for name in ARKIT_NAMES], axis=2).astype(np.float32), ARKIT_NAMES


class LandmarkSpread:
    """Spreads landmark displacements over the face's skin; zero on ears, cranium and neck."""

    def __init__(self, geometry: HeadGeometry) -> None:
        self.support = face_support(geometry)
        self.total = len(geometry.vertices)
        self._spread = BilaplacianSpread(
            geometry.skin_energy(), np.arange(FACE_LANDMARKS), fixed=self.support == 0
        )

    def __call__(self, field: F64) -> F64:
        """Spread a field (468, 3) m to all vertices (V, 3) m; eyeballs stay."""
        delta = np.zeros((self.total, 3))
        delta[: len(self.support)] = self._spread(field) * self.support[:, None]
        return delta


def face_support(geometry: HeadGeometry) -> F64:
    """Return how much each skin vertex (Vs,) may move with expressions: 1 face, 0 ears, cranium.

    Beyond the face it fades out over 30 mm along the surface.
    """
    face = geometry.skin_region("face") | geometry.skin_region("mouth_inside")
    face[:FACE_LANDMARKS] = True
    distance = surface_distance(geometry.skin_vertices, geometry.skin_faces, face)
    near = np.clip(1 - distance / FADE_M, 0.0, 1.0)
    support = near**2 * (3 - 2 * near)
    still = geometry.skin_region("ears") | geometry.skin_region("hair")
    support[still & ~(np.arange(len(face)) < FACE_LANDMARKS)] = 0.0
    return support


def mirrored(geometry: HeadGeometry, delta: F64) -> F64:
    """Return the mirror image of displacements (V, 3)."""
    return delta[geometry.mirror] * MIRROR


def with_mirror_images(geometry: HeadGeometry, deltas: dict[str, F64]) -> dict[str, F64]:
    """Complete left-sided displacements with right ones and make the middle ones symmetric."""
    full = {}
    for name, delta in deltas.items():
        image = mirrored(geometry, delta)
        if name.endswith("Left"):
            full[name] = delta
            full[name.removesuffix("Left") + "Right"] = image
        else:
            full[name] = (delta + image) * (1.0 if name in HALVES else 0.5)
    return full


def turn(degrees: float, axis: int) -> F64:
    """Return the rotation matrix (3, 3) about coordinate axis 0 or 1, right-handed."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    a, b = (1, 2) if axis == 0 else (2, 0)
    matrix = np.eye(3)
    matrix[[a, b], [a, b]] = cosine
    matrix[a, b], matrix[b, a] = -sine, sine
    return matrix


def jaw_deltas(geometry: HeadGeometry) -> dict[str, F64]:
    """Return jawOpen, jawForward and jawLeft: the jaw joint's motion, skinned by its weights."""
    arm = geometry.vertices - geometry.joints[JAW]
    weight = geometry.weights[:, JAW : JAW + 1]
    sideways = arm @ (turn(4.0, 1) - np.eye(3)).T + np.array([0.003, 0.0, 0.0])
    return {
        "jawOpen": weight * (arm @ (turn(JAW_OPEN_DEGREES, 0) - np.eye(3)).T),
        "jawForward": weight * np.array([0.0, -0.001, 0.0085]),
        "jawLeft": weight * sideways,
    }


def eye_look_deltas(geometry: HeadGeometry, spread: LandmarkSpread) -> dict[str, F64]:
    """Return eyeLook...Left: the left eyeball turned, the lids following a little."""
    turns = {
        "eyeLookUpLeft": turn(-EYE_LOOK_DEGREES, 0),
        "eyeLookDownLeft": turn(EYE_LOOK_DEGREES, 0),
        "eyeLookInLeft": turn(-EYE_LOOK_DEGREES, 1),
        "eyeLookOutLeft": turn(EYE_LOOK_DEGREES, 1),
    }
    arm = geometry.vertices - geometry.joints[LEFT_EYE]
    ball = geometry.regions["left_eyeball"][:, None]
    lids = eye_look_lid_fields(geometry.landmark_positions[:FACE_LANDMARKS])
    return {
        name: spread(lids[name]) + ball * (arm @ (matrix - np.eye(3)).T)
        for name, matrix in turns.items()
    }
