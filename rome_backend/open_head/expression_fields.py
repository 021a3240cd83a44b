# SPDX-License-Identifier: Apache-2.0
"""Authored displacements of MediaPipe's 468 landmarks, one field per ARKit expression.

Does not know the mesh: fields are made on landmark positions alone, for the subject's left side
and for the middle; the caller mirrors and spreads them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.landmark_sets import (
    LEFT_EYE_CORNERS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    MOUTH_CORNERS,
    UPPER_LIP,
)

OUTER_EYE_DISTANCE_MM = 90.0
LEFT_MOUTH_CORNER = MOUTH_CORNERS[4:]
LEFT_LID_FOLD = (467, 260, 259, 257, 258, 286, 414)
INNER_LIP_PAIRS = ((13, 14), (312, 317), (311, 402), (310, 318), (415, 324)) + (
    (82, 87),
    (81, 178),
    (80, 88),
    (191, 95),
)
BROW_INNER, BROW_OUTER = (285, 336), (300, 276)


class LandmarkFace:
    """The landmarks with the measures that the fields are written in.

    points (468, 3) m; mm: one millimetre on a face whose outer eye corners are 90 mm apart;
    lower, upper (468,): 1 below or above the line between the lips; brow_part: fades at the lids.
    """

    def __init__(self, points: F64) -> None:
        self.points = points
        self.mm = float(np.linalg.norm(points[33] - points[263])) / OUTER_EYE_DISTANCE_MM
        self.mouth = (points[13] + points[14]) / 2
        height = (self.mouth[1] - points[:, 1]) / (8 * self.mm)
        self.lower = np.clip(height + 0.5, 0.0, 1.0)
        self.lower[list(UPPER_LIP)] = 0.0
        self.lower[list(LOWER_LIP)] = 1.0
        self.lower[list(MOUTH_CORNERS)] = 0.5
        self.upper = 1 - self.lower
        self.lips = np.zeros(468)
        self.lips[list(UPPER_LIP + LOWER_LIP)] = 1.0
        self.off_lids = np.ones(468)
        self.off_lids[list(LEFT_UPPER_LID + LEFT_LOWER_LID + LEFT_EYE_CORNERS)] = 0.25

    def at(self, *indices: int) -> F64:
        """Return the mean position (3,) m of landmarks."""
        return self.points[list(indices)].mean(axis=0)

    def push(
        self,
        centre: F64,
        radius: float,
        move: tuple[float, float, float],
        mask: F64 | None = None,
    ) -> F64:
        """Return a Gaussian push (468, 3) m round centre; radius and move in face millimetres."""
        squared = np.sum((self.points - centre) ** 2, axis=1)
        fall = np.exp(-squared / 2 / (radius * self.mm) ** 2)
        fall = fall if mask is None else fall * mask
        return fall[:, None] * np.asarray(move) * self.mm

    def shifted(self, centre: F64, *move: float) -> F64:
        """Return centre (3,) moved by face millimetres."""
        return centre + np.asarray(move) * self.mm


def landmark_fields(points: F64) -> dict[str, F64]:
    """Return the fields of one side and of the middle: ARKit name -> (468, 3) m at value 1.

    points (468, 3) m: MediaPipe's landmarks of a neutral, symmetric face in head space. Sided
    expressions appear once, as ...Left. Source: our own, after Apple's ARKit blend shape pictures.
    """
    face = LandmarkFace(np.asarray(points, dtype=np.float64))
    fields = lid_fields(face) | brow_fields(face) | cheek_and_nose_fields(face)
    return fields | corner_fields(face) | lip_fields(face) | mouth_fields(face)


def lid_gap(points: F64) -> F64:
    """Return the vectors (7, 3) m from the lower to the upper lid of the left eye."""
    return points[list(LEFT_UPPER_LID)] - points[list(LEFT_LOWER_LID)]


def lid_field(face: LandmarkFace, upper: float, lower: float, fold: float) -> F64:
    """Return a field (468, 3) that moves lids by parts of the gap; positive parts open."""
    gap = lid_gap(face.points)
    field = np.zeros((468, 3))
    field[list(LEFT_UPPER_LID)] = gap * upper
    field[list(LEFT_LOWER_LID)] = -gap * lower
    field[list(LEFT_LID_FOLD)] += gap * upper * fold
    return field


def lid_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return eyeBlinkLeft, eyeWideLeft and eyeSquintLeft."""
    under_eye = face.shifted(face.at(*LEFT_LOWER_LID), 0, -9, 0)
    squint = lid_field(face, -0.14, -0.30, 0.5)
    squint += face.push(under_eye, 8, (0, 2.2, 1.0), face.off_lids)
    return {
        "eyeBlinkLeft": lid_field(face, -0.93, -0.07, 0.42),
        "eyeWideLeft": lid_field(face, 0.34, 0.10, 0.55),
        "eyeSquintLeft": squint,
    }


def brow_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return browDownLeft, browInnerUp (left half; the caller mirrors) and browOuterUpLeft."""
    inner, outer = face.at(*BROW_INNER), face.at(*BROW_OUTER)
    middle = face.shifted((inner + outer) / 2, 0, 4, 0)
    above_inner, above_outer = face.shifted(inner, 0, 14, 0), face.shifted(outer, -3, 13, 0)
    mask = face.off_lids
    return {
        "browDownLeft": face.push(inner, 10, (-2.8, -5.0, 1.6), mask)
        + face.push(middle, 10, (-1.6, -4.0, 0.8), mask),
        "browInnerUp": face.push(inner, 11, (0.4, 4.4, 0.2), mask)
        + face.push(above_inner, 15, (0, 3.4, 0), mask),
        "browOuterUpLeft": face.push(outer, 12, (0, 5.5, 0), mask)
        + face.push(middle, 11, (0, 3.5, 0), mask)
        + face.push(above_outer, 15, (0, 3.0, 0), mask),
    }


def cheek_and_nose_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return cheekPuff (left half), cheekSquintLeft and noseSneerLeft."""
    cheek = face.at(280, 425, 411)
    puff, wing = face.at(425, 411, 416, 434), face.at(327, 294, 278)
    mask = face.off_lids
    return {
        "cheekPuff": face.push(puff, 15, (9.0, 0, 9.0), mask * (1 - 0.75 * face.lips)),
        "cheekSquintLeft": face.push(face.shifted(cheek, 0, 8, 0), 12, (0.5, 5.0, 2.2), mask)
        + lid_field(face, -0.04, -0.20, 0.3),
        "noseSneerLeft": face.push(wing, 10, (0.3, 7.0, 0.9), face.upper)
        + face.push(face.at(285), 8, (-1.2, -3.0, 0.8), mask)
        + face.push(face.at(269, 270), 10, (0, 3.5, 0.3), face.upper),
    }


def corner_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return the expressions of the left mouth corner."""
    corner = face.at(*LEFT_MOUTH_CORNER)
    cheek = face.at(280, 425, 411)
    return {
        "mouthSmileLeft": face.push(corner, 11, (8.0, 9.5, -6.5))
        + face.push(cheek, 13, (1.0, 3.8, 2.0), face.off_lids)
        + face.push(face.at(*LEFT_LOWER_LID), 5, (0, 1.0, 0)),
        "mouthFrownLeft": face.push(corner, 10, (1.5, -6.0, -1.8)),
        "mouthDimpleLeft": face.push(corner, 9, (4.5, 2.0, -5.5)),
        "mouthStretchLeft": face.push(corner, 12, (7.0, -2.5, -5.0)),
    }


def lip_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return mouthUpperUpLeft, mouthLowerDownLeft and mouthPressLeft."""
    upper_lip, lower_lip = face.at(267, 269, 270), face.at(314, 405, 321)
    side = np.clip(0.5 + face.points[:, 0] / (14 * face.mm), 0.0, 1.0)
    squeeze = np.zeros((468, 3))
    squeeze[:, 1] = 1.2 * face.mm - 0.3 * (face.points[:, 1] - face.mouth[1])
    squeeze[:, 2] = -0.8 * face.mm
    press = squeeze * (face.lips * side * lip_arch(face))[:, None]
    corner = face.at(*LEFT_MOUTH_CORNER)
    return {
        "mouthUpperUpLeft": face.push(upper_lip, 12, (0.6, 6.8, 0.4), face.upper)
        + face.push(face.at(327, 294), 8, (0.3, 2.5, 0.4), face.upper),
        "mouthLowerDownLeft": face.push(lower_lip, 10, (0.3, -6.5, -0.3), face.lower),
        "mouthPressLeft": press + face.push(corner, 8, (1.0, 0.8, -1.5)),
    }


def lip_arch(face: LandmarkFace) -> F64:
    """Return 1 in the middle of the mouth falling to 0 at its corners: (468,)."""
    half = abs(face.at(*LEFT_MOUTH_CORNER)[0] - face.mouth[0])
    across = np.clip(np.abs(face.points[:, 0] - face.mouth[0]) / half, 0.0, 1.0)
    return np.sqrt(1 - across**2)


def mouth_fields(face: LandmarkFace) -> dict[str, F64]:
    """Return the expressions of the whole mouth; sideways ones appear as mouthLeft only."""
    mouth, mm = face.mouth, face.mm
    offset = face.points - mouth
    near = np.exp(-np.sum((offset / (np.array([24, 13, 30]) * mm)) ** 2, axis=1) / 2)
    pucker = np.zeros((468, 3))
    pucker[:, 0] = -0.55 * offset[:, 0] * near
    pucker[:, 1] = 0.18 * offset[:, 1] * near
    pucker[:, 2] = 8.0 * mm * near * (0.5 + 0.5 * face.lips)
    part = (face.upper - face.lower) * face.lips * near * lip_arch(face)
    funnel = 0.75 * pucker
    funnel[:, 1] += 4.2 * mm * part
    funnel[:, 2] += 2.0 * mm * near * face.lips
    arch = lip_arch(face) * face.lips
    return {
        "mouthPucker": pucker,
        "mouthFunnel": funnel,
        "mouthLeft": face.push(mouth, 18, (13.0, 0.4, 0.0)),
        "mouthRollUpper": face.push(mouth, 14, (0, -3.4, -8.0), face.upper * arch)
        + face.push(face.at(164), 9, (0, -1.5, -1.0), face.upper * (1 - face.lips)),
        "mouthRollLower": face.push(mouth, 14, (0, 3.8, -8.5), face.lower * arch)
        + face.push(face.at(18), 9, (0, 1.5, -1.0), face.lower * (1 - face.lips)),
        "mouthShrugLower": face.push(
            face.at(17), 15, (0, 7.5, 3.5), face.lower + 0.6 * face.upper * face.lips
        ),
        "mouthShrugUpper": face.push(face.at(0), 14, (0, 4.6, 1.4), face.upper),
    }


def mouth_close_field(points: F64, open_delta: F64) -> F64:
    """Return mouthClose (468, 3) m: what closes the lips again when the jaw is open.

    points (468, 3) m; open_delta (468, 3) m: the landmarks' move under jawOpen at 1. Both lips
    go to a seam, a fifth of the way from the upper to the opened lower lip; the chin stays with
    the jaw.
    """
    face = LandmarkFace(points)
    upper, lower = (np.array(side) for side in zip(*INNER_LIP_PAIRS, strict=True))
    seam = 0.8 * open_delta[upper] + 0.2 * open_delta[lower]
    seam = np.concatenate([seam, open_delta[[78, 308]]])
    across = points[np.r_[upper, 78, 308], 0]
    order = np.argsort(across)
    here = [np.interp(points[:, 0], across[order], seam[order, k]) for k in range(3)]
    distance = np.abs(points[:, 1] - face.mouth[1]) / (13 * face.mm)
    beside = np.maximum(np.abs(points[:, 0]) - abs(points[308, 0]), 0) / (8 * face.mm)
    fall = np.where(face.lips > 0, 1.0, np.exp(-(distance**2) - beside**2))
    return (np.stack(here, axis=1) - open_delta) * fall[:, None]


def eye_look_lid_fields(points: F64) -> Mapping[str, F64]:
    """Return how the left eye's lids follow its gaze: name -> (468, 3) m at 25 degrees."""
    face = LandmarkFace(points)
    centre = face.at(*LEFT_UPPER_LID, *LEFT_LOWER_LID)
    return {
        "eyeLookUpLeft": lid_field(face, 0.32, -0.10, 0.5),
        "eyeLookDownLeft": lid_field(face, -0.60, 0.14, 0.45),
        "eyeLookInLeft": face.push(centre, 9, (-1.6, 0, 0)),
        "eyeLookOutLeft": face.push(centre, 9, (1.6, 0, 0)),
    }
