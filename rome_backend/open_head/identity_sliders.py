# SPDX-License-Identifier: Apache-2.0
"""Independent sliders with plain names for the shape of any head model.

Does not know Blender, photos or the identity directions of a fit.

Each is authored as smooth symmetric fields round landmarks (our own); one unit is about one
standard deviation of adults, after the spreads that large body surveys report (head breadth 5 to
6 mm, head length 7 mm, face height 6 mm, ear length 4 mm, and so on).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rome_backend.core.types import F32, F64, HeadModel, Mask
from rome_backend.open_head.slider_fields import (
    MIRROR,
    FacePlaces,
    Finisher,
    face_places,
    grow,
    push,
    ramp,
)

_NOSE_TIP, _NOSE_ROOT, _BRIDGE, _WING = 4, 168, 197, 358
_CHIN, _LIP_LINE, _MOUTH_CORNER, _BROW = 199, 13, 291, 334
_CHEEKBONE, _CHEEK, _LOW_CHEEK, _JAW_ANGLE, _JAW_SIDE = 345, 280, 425, 397, 379


@dataclass(frozen=True)
class IdentitySlider:
    """One direction: name for keys, label for people, displacement (V, 3) f32 m per unit."""

    name: str
    label: str
    displacement: F32


class _Sculptor:
    """Fields in millimetres at MediaPipe's landmarks."""

    def __init__(self, places: FacePlaces) -> None:
        self.places = places
        self.points = places.points
        self.side = np.abs(places.landmarks[454, 0])
        self.brow = float(places.landmarks[_BROW, 1])

    def push(self, at: int, size: tuple[float, float, float], mm: tuple[float, ...]) -> F64:
        """Return the field that moves the surroundings of a landmark of the left half by mm."""
        return push(
            self.points, self.places.landmarks[at], np.array(size) / 1000, np.array(mm) / 1000
        )

    def grow(self, centre: F64, size: tuple[float, float, float], by: tuple[float, ...]) -> F64:
        """Return the field that scales what lies round a centre (3,) m by 1 + by."""
        return grow(self.points, centre, np.array(size) / 1000, np.array(by))

    def along(self, axis: int, amount: F64 | float) -> F64:
        """Return the field (V, 3) of an amount in mm, one or (V,), along an axis."""
        field = np.zeros_like(self.points)
        field[:, axis] = np.asarray(amount) / 1000
        return field


def _skull_width(s: _Sculptor) -> F64:
    back = 1 - ramp(s.points[:, 2], -0.05, 0.03)
    above = ramp(s.points[:, 1], -0.05, 0.03)
    return s.along(0, 2.8 * s.points[:, 0] / s.side * back * above)


def _skull_length(s: _Sculptor) -> F64:
    return s.along(
        2, -7.0 * ramp(s.points[:, 2], -0.03, -0.19) * ramp(s.points[:, 1], -0.11, -0.02)
    )


def _forehead_height(s: _Sculptor) -> F64:
    return s.along(1, 5.0 * ramp(s.points[:, 1], s.brow - 0.005, s.brow + 0.08))


def _forehead_slope(s: _Sculptor) -> F64:
    front = ramp(s.points[:, 2], -0.08, 0.0)
    return s.along(2, -4.0 * ramp(s.points[:, 1], s.brow, s.brow + 0.06) * front)


def _brow(s: _Sculptor) -> F64:
    return s.push(_BROW, (16, 8, 20), (0, 0, 2.2)) + s.push(9, (12, 9, 20), (0, 0, 1.4))


def _eye_distance(s: _Sculptor) -> F64:
    return push(
        s.points, s.places.eyes[0], np.array([0.013, 0.014, 0.03]), np.array([0.0017, 0, 0])
    )


def _eye_size(s: _Sculptor) -> F64:
    return s.grow(s.places.eyes[0], (14, 10, 25), (0.06, 0.09, 0.0))


def _eye_depth(s: _Sculptor) -> F64:
    return push(
        s.points, s.places.eyes[0], np.array([0.016, 0.013, 0.03]), np.array([0, 0, -0.0015])
    )


def _eye_tilt(s: _Sculptor) -> F64:
    return s.push(263, (8, 8, 20), (0, 1.3, 0)) + s.push(362, (6, 7, 20), (0, -0.5, 0))


def _nose_length(s: _Sculptor) -> F64:
    tip = s.push(_NOSE_TIP, (13, 12, 25), (0, -2.2, 0.4))
    return tip + s.push(_WING, (8, 9, 14), (0, -1.0, 0)) + s.push(2, (12, 7, 18), (0, -0.8, 0))


def _nose_width(s: _Sculptor) -> F64:
    return s.push(_WING, (8, 11, 14), (1.5, 0, 0))


def _nose_bridge(s: _Sculptor) -> F64:
    return s.push(_BRIDGE, (9, 15, 22), (0, 0, 2.0))


def _nose_tip(s: _Sculptor) -> F64:
    return s.push(_NOSE_TIP, (11, 10, 16), (0, 0.4, 2.4))


def _cheekbones(s: _Sculptor) -> F64:
    return s.push(_CHEEKBONE, (18, 14, 24), (2.0, 0.3, 1.6))


def _cheeks(s: _Sculptor) -> F64:
    return s.push(_LOW_CHEEK, (17, 17, 20), (1.4, 0, 2.0)) + s.push(
        _JAW_SIDE, (18, 20, 24), (1.6, 0, 0.8)
    )


def _jaw_width(s: _Sculptor) -> F64:
    return s.push(_JAW_ANGLE, (20, 22, 28), (3.2, 0, 0)) + s.push(
        _JAW_SIDE, (18, 18, 24), (1.2, 0, 0)
    )


def _jaw_angle(s: _Sculptor) -> F64:
    return s.push(_JAW_ANGLE, (20, 18, 24), (0.6, -3.5, -1.0))


def _chin_length(s: _Sculptor) -> F64:
    return s.along(1, -3.6 * _chin_share(s))


def _chin_share(s: _Sculptor) -> F64:
    chin = s.places.landmarks[152]
    low = ramp(s.points[:, 1], s.places.landmarks[_LIP_LINE, 1] - 0.004, chin[1] - 0.004)
    below = np.exp(-((np.minimum(s.points[:, 1] - chin[1], 0.0) / 0.022) ** 2))
    across = np.exp(-((s.points[:, 0] / 0.042) ** 2))
    return low * below * across * ramp(s.points[:, 2], -0.06, 0.0)


def _chin_width(s: _Sculptor) -> F64:
    return s.push(377, (15, 14, 20), (2.6, 0, 0)) + s.push(400, (12, 12, 18), (0.9, 0, 0))


def _chin_projection(s: _Sculptor) -> F64:
    return s.push(_CHIN, (20, 15, 24), (0, 0, 3.4))


def _lips_fullness(s: _Sculptor) -> F64:
    middle = s.places.landmarks[_LIP_LINE] * (0, 1, 1)
    swell = s.push(_LIP_LINE, (15, 8, 12), (0, 0, 1.3))
    return s.grow(middle, (17, 8, 16), (0.0, 0.22, 0.0)) + swell


def _mouth_width(s: _Sculptor) -> F64:
    return s.push(_MOUTH_CORNER, (11, 11, 18), (1.9, 0, -0.2))


def _mouth_height(s: _Sculptor) -> F64:
    return s.push(_LIP_LINE, (26, 11, 24), (0, 1.6, 0))


def _ear_size(s: _Sculptor) -> F64:
    grown = np.zeros_like(s.points)
    for side, root in _ears(s):
        grown[side] = (s.points[side] - root) * (0.03, 0.07, 0.07)
    return s.places.ear[:, None] * grown


def _ear_angle(s: _Sculptor) -> F64:
    turned = np.zeros_like(s.points)
    for side, root in _ears(s):
        axis = np.array([0.0, np.sign(root[0]), 0.0])
        arm = s.points[side] - (root + [0, 0, 0.010])
        turned[side] = 0.11 * np.cross(axis, arm)
    return -s.places.ear[:, None] * turned


def _ears(s: _Sculptor) -> list[tuple[Mask, F64]]:
    """Return for each side of the head its vertices (V,) bool and the ear's root (3,) m."""
    found: list[tuple[Mask, F64]] = []
    left = (s.points[:, 0] > 0) & (s.places.ear > 0.99)
    if left.any():
        ear = s.points[left]
        inner = ear[:, 0] <= np.percentile(ear[:, 0], 25)
        root = ear[inner].mean(axis=0)
        found = [(s.points[:, 0] > 0, root), (s.points[:, 0] < 0, root * MIRROR)]
    return found


def _neck_width(s: _Sculptor) -> F64:
    x, y = s.points[:, 0], s.points[:, 1]
    chin = float(s.places.landmarks[152, 1])
    height = ramp(y, chin + 0.05, chin - 0.01) * ramp(y, chin - 0.09, chin - 0.045)
    behind = ramp(s.points[:, 2], 0.01, -0.04)
    field = s.along(0, 3.0 * np.tanh(x / 0.03) * height * behind)
    return field + s.along(2, -2.0 * height * ramp(s.points[:, 2], -0.07, -0.14))


def _age(s: _Sculptor) -> F64:
    sag = s.push(_LOW_CHEEK, (16, 16, 20), (0.2, -1.6, -0.6))
    jowl = s.push(_JAW_SIDE, (14, 12, 20), (0.9, -2.0, 0.9))
    brow = s.push(_BROW, (18, 8, 20), (0, -0.8, 0.2)) + s.push(263, (8, 7, 18), (0, -0.7, 0))
    hollow = s.push(_CHEEK, (12, 9, 16), (0, 0, -0.9))
    nose = s.push(_NOSE_TIP, (11, 10, 18), (0, -1.3, 0.5))
    return sag + jowl + brow + hollow + nose - 0.5 * _lips_fullness(s) + 0.4 * _ear_size(s)


def _sex(s: _Sculptor) -> F64:
    bones = 0.8 * _jaw_width(s) + 0.6 * _chin_width(s) + 0.4 * _chin_length(s) + 0.8 * _brow(s)
    flesh = 0.8 * _neck_width(s) - 0.4 * _lips_fullness(s) - 0.4 * _cheeks(s)
    return bones + flesh + 0.4 * _nose_width(s) + 0.4 * _nose_length(s) + 0.3 * _forehead_slope(s)


_SLIDERS: tuple[tuple[str, Callable[[_Sculptor], F64]], ...] = (
    ("Skull Width", _skull_width),
    ("Skull Length", _skull_length),
    ("Forehead Height", _forehead_height),
    ("Forehead Slope", _forehead_slope),
    ("Brow", _brow),
    ("Eye Distance", _eye_distance),
    ("Eye Size", _eye_size),
    ("Eye Depth", _eye_depth),
    ("Eye Tilt", _eye_tilt),
    ("Nose Length", _nose_length),
    ("Nose Width", _nose_width),
    ("Nose Bridge", _nose_bridge),
    ("Nose Tip", _nose_tip),
    ("Cheekbones", _cheekbones),
    ("Cheeks", _cheeks),
    ("Jaw Width", _jaw_width),
    ("Jaw Angle", _jaw_angle),
    ("Chin Length", _chin_length),
    ("Chin Width", _chin_width),
    ("Chin Projection", _chin_projection),
    ("Lips Fullness", _lips_fullness),
    ("Mouth Width", _mouth_width),
    ("Mouth Height", _mouth_height),
    ("Ear Size", _ear_size),
    ("Ear Angle", _ear_angle),
    ("Neck Width", _neck_width),
    ("Age", _age),
    ("Sex", _sex),
)


def identity_sliders(head: HeadModel) -> tuple[IdentitySlider, ...]:
    """Return the sliders of a head model, in the order in which people should see them.

    Smooth and mirror symmetric; eyeballs, teeth and other loose parts move rigidly; the neck's
    lower border stays. 'Sex' is positive towards a typical man's head, 'Age' towards old age.
    Names are the labels without spaces.
    """
    places = face_places(head)
    sculptor, finish = _Sculptor(places), Finisher(head, places)
    return tuple(
        IdentitySlider(label.replace(" ", ""), label, finish(field(sculptor)).astype(np.float32))
        for label, field in _SLIDERS
    )
