# SPDX-License-Identifier: GPL-3.0-or-later
"""Head space to Blender's object space and back: the only place that knows both.

Does not know bpy. Head space is Y up with the face along +Z; Blender's is Z up with the face
along -Y; both are right-handed and in metres. The turn is Rx(+90 degrees): (x, y, z) becomes
(x, -z, y). The rig's origin (a point of head space, below the neck) lands on (0, 0, 0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .names import ORIGIN

TURN: NDArray[np.float64] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def origin_of(properties: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the rig's origin (3,) f64 m in head space; zero where none is given."""
    return np.asarray(properties.get(ORIGIN, (0.0, 0.0, 0.0)), dtype=np.float64)


def to_object(points: ArrayLike, origin: ArrayLike) -> NDArray[np.float64]:
    """Turn head-space points (..., 3) m into Blender's object space (..., 3) f64."""
    return (np.asarray(points, dtype=np.float64) - np.asarray(origin)) @ TURN.T


def to_head(points: ArrayLike, origin: ArrayLike) -> NDArray[np.float64]:
    """Turn object-space points (..., 3) m into head space (..., 3) f64."""
    return np.asarray(points, dtype=np.float64) @ TURN + np.asarray(origin)


def directions_to_object(directions: ArrayLike) -> NDArray[np.float64]:
    """Turn head-space directions or deltas (..., 3) into object space (..., 3) f64."""
    return np.asarray(directions, dtype=np.float64) @ TURN.T


def head_to_object(origin: ArrayLike) -> NDArray[np.float64]:
    """Return to_object as a matrix (4, 4) f64."""
    matrix = np.eye(4)
    matrix[:3, :3] = TURN
    matrix[:3, 3] = -TURN @ np.asarray(origin, dtype=np.float64)
    return matrix
