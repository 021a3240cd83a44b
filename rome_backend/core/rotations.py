# SPDX-License-Identifier: Apache-2.0
"""Rotations: axis-angle, matrices and head angles.

Does not know what is rotated, and no torch: the array namespace is an argument.

Angles are right-handed about the head-space axes: yaw about +Y (the subject turns to its left),
pitch about +X (the subject looks down), roll about +Z (the head tilts towards its right shoulder,
counter-clockwise in the picture).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from .types import F64

# Below this squared angle (rad^2) the Taylor series is exact to f64 rounding.
_SMALL = 1e-4


def rotation_matrices(axis_angle: Any, xp: ModuleType = np) -> Any:
    """Return the rotation matrices (..., 3, 3) of axis-angle vectors (..., 3) in rad.

    Rodrigues' formula, with its Taylor series near zero so that the value is exact and the
    gradient finite there. numpy input is computed in f64; torch keeps dtype and device.
    """
    vector = np.asarray(axis_angle, np.float64) if xp is np else axis_angle
    squared = (vector * vector).sum(-1)[..., None, None]
    small = squared < _SMALL
    safe = xp.where(small, xp.ones_like(squared), squared)
    angle = xp.sqrt(safe)
    half = xp.sin(angle / 2)
    sine = xp.where(small, 1 - squared / 6 + squared * squared / 120, xp.sin(angle) / angle)
    versine = xp.where(small, 0.5 - squared / 24 + squared * squared / 720, 2 * half * half / safe)
    cross = _cross_matrices(vector, xp)
    identity = xp.eye(3, dtype=vector.dtype)
    if xp is not np:
        identity = identity.to(vector.device)
    return identity + sine * cross + versine * (cross @ cross)


def _cross_matrices(vector: Any, xp: ModuleType) -> Any:
    """Return (..., 3, 3) so that its product with p is the cross product vector x p."""
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    zero = xp.zeros_like(x)
    rows = ((zero, -z, y), (z, zero, -x), (-y, x, zero))
    return xp.stack([xp.stack(list(row), -1) for row in rows], -2)


def axis_angle_from_matrix(rotation: Any) -> F64:
    """Return axis-angle vectors (..., 3) f64 rad, angle in [0, pi], of rotations (..., 3, 3).

    By way of the quaternion with the largest component first (Shepperd 1978), which stays
    accurate near pi. The matrices must be rotations; this is not checked.
    """
    r = np.asarray(rotation, np.float64)
    quaternions = _quaternions(r)
    vector, scalar = quaternions[..., 1:], quaternions[..., :1]
    vector = np.where(scalar < 0, -vector, vector)
    sine = np.linalg.norm(vector, axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, np.abs(scalar))
    safe = np.where(sine < 1e-9, 1.0, sine)
    return np.where(sine < 1e-9, 2 * vector, vector / safe * angle)


def _quaternions(r: F64) -> F64:
    """Return unit quaternions (..., 4), scalar first, of rotations (..., 3, 3)."""
    xx, yy, zz = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    total, difference = r + r.swapaxes(-1, -2), r - r.swapaxes(-1, -2)
    xy, xz, yz = total[..., 0, 1], total[..., 0, 2], total[..., 1, 2]
    wx, wy, wz = difference[..., 2, 1], difference[..., 0, 2], difference[..., 1, 0]
    rows = (
        (1 + xx + yy + zz, wx, wy, wz),
        (wx, 1 + xx - yy - zz, xy, xz),
        (wy, xy, 1 - xx + yy - zz, yz),
        (wz, xz, yz, 1 - xx - yy + zz),
    )
    candidates = np.stack([np.stack(row, -1) for row in rows], -2)
    best = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), axis=-1)
    chosen = np.take_along_axis(candidates, best[..., None, None], -2)[..., 0, :]
    return chosen / np.linalg.norm(chosen, axis=-1, keepdims=True)


def matrix_from_yaw_pitch_roll(yaw: float, pitch: float, roll: float) -> F64:
    """Return the rotation (3, 3) f64, Ry(yaw) Rx(pitch) Rz(roll), of angles in degrees."""
    angles = np.radians([[0.0, yaw, 0.0], [pitch, 0.0, 0.0], [0.0, 0.0, roll]])
    turn, nod, tilt = rotation_matrices(angles)
    return turn @ nod @ tilt


def yaw_pitch_roll_degrees(rotation: Any) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of one rotation (3, 3), head to view.

    Inverse of ``matrix_from_yaw_pitch_roll`` for pitch inside (-90, 90): yaw and pitch say
    where the face looks, roll how the head is tilted about that direction.
    """
    r = np.asarray(rotation, np.float64)
    yaw = np.arctan2(r[0, 2], r[2, 2])
    pitch = np.arcsin(np.clip(-r[1, 2], -1.0, 1.0))
    roll = np.arctan2(r[1, 0], r[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
