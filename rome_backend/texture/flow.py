# SPDX-License-Identifier: Apache-2.0
"""Which way hair runs on a head: out of a whorl behind the crown, then down.

Does not know colours. Our own.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F32, F64

_CROWN_TILT = 0.45  # rad: the whorl lies behind the top of the head
_WHORL = 0.035  # m over which strands turn out of the whorl
_SWIRL = 0.9  # rad, at its middle
_HANG = 0.10  # m from the crown where strands begin to hang straight down
_WAVES = ((31.0, 0.22), (67.0, 0.12))  # 1/m, rad: locks do not run parallel


def hair_flow(points: F32, normals: F32, centre: F64) -> F32:
    """Return unit tangents (Q, 3) along the strands, away from their roots.

    Args:
        points: (Q, 3) m, head space; normals: (Q, 3) unit; centre: (3,) m, middle of the scalp.
    """
    crown = np.array([0.08, np.cos(_CROWN_TILT), -np.sin(_CROWN_TILT)])
    crown /= np.linalg.norm(crown)
    away = points - centre.astype(np.float32)
    up = away @ crown.astype(np.float32)
    level = away - up[:, None] * crown.astype(np.float32)
    from_crown = np.linalg.norm(level, axis=1)
    hang = np.clip((from_crown - _HANG) / 0.06, 0, 1) + np.clip(-up / 0.04, 0, 1)
    hang = np.clip(hang, 0, 1)[:, None]
    out = level / np.maximum(from_crown, 1e-4)[:, None] - 0.6 * crown.astype(np.float32)
    out = out * (1 - hang) + hang * np.array([0, -1, 0], np.float32)
    along = _tangent(out, normals)
    turn = _SWIRL * np.exp(-from_crown / _WHORL)
    for wave, (frequency, size) in enumerate(_WAVES):
        phase = frequency * (points @ _DIRECTIONS[wave]) + wave
        turn = turn + size * np.sin(phase) * np.clip(from_crown / 0.04, 0, 1)
    across = np.cross(normals, along)
    return (along * np.cos(turn)[:, None] + across * np.sin(turn)[:, None]).astype(np.float32)


_DIRECTIONS = np.array([[0.8, 0.3, 0.52], [-0.45, 0.62, 0.64]], np.float32)


def _tangent(direction: F32, normals: F32) -> F32:
    """Project directions (Q, 3) on the tangent planes, unit length; some tangent if that is 0."""
    flat = direction - (direction * normals).sum(1, keepdims=True) * normals
    size = np.linalg.norm(flat, axis=1, keepdims=True)
    other = np.cross(normals, np.array([1.0, 0, 0], np.float32))
    other /= np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-6)
    return np.where(size > 1e-3, flat / np.maximum(size, 1e-3), other).astype(np.float32)
