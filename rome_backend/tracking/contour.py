# SPDX-License-Identifier: Apache-2.0
"""The 68 iBUG landmarks of a posed head: 51 fixed ones and a contour that slides with the yaw.

Does not know where the embedding comes from, and no torch: the array namespace is an argument.

Source: FLAME's dynamic landmark embedding; rome-spec sections 2.7 and 3. The released code looks
the contour up at the yaw of the rotation applied twice (section 5, row 14): ``legacy`` repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.types import F32, I32, LandmarkTable

_LAST_DEGREE = 39
CONTOUR_ROWS = 2 * _LAST_DEGREE + 1


@dataclass(frozen=True)
class LandmarkEmbedding68:
    """Where the 68 landmarks lie on a mesh.

    contour_faces (79, 17) i32, contour_barycentric (79, 17, 3) f32: the jaw line by yaw, rows
    0..39 for 0..39 degrees, 40..78 for -1..-39; fixed_faces (51,) i32, fixed_barycentric (51, 3)
    f32: brows, nose, eyes and mouth.
    """

    contour_faces: I32
    contour_barycentric: F32
    fixed_faces: I32
    fixed_barycentric: F32

    def __post_init__(self) -> None:
        """Raise ValueError on shapes other than these."""
        rows, contour = self.contour_faces.shape
        fits = self.contour_barycentric.shape == (rows, contour, 3)
        fits = fits and self.fixed_barycentric.shape == (*self.fixed_faces.shape, 3)
        if rows != CONTOUR_ROWS or not fits:
            raise ValueError(f"the embedding must have {CONTOUR_ROWS} rows and weights for each")


def contour_row(rotation: Any, legacy: bool = False) -> int:
    """Return the row of the contour for a head rotation (3, 3), head to view.

    The yaw in degrees, rounded and kept within +-39.
    """
    turn = np.asarray(rotation, np.float64)
    if legacy:
        turn = turn @ turn
    yaw = np.degrees(np.arctan2(-turn[2, 0], np.hypot(turn[0, 0], turn[1, 0])))
    degree = int(np.clip(np.round(yaw), -_LAST_DEGREE, _LAST_DEGREE))
    return degree if degree >= 0 else _LAST_DEGREE - degree


def landmarks_68(
    vertices: Any,
    faces: Any,
    embedding: LandmarkEmbedding68,
    rotation: Any,
    legacy: bool = False,
    xp: ModuleType = np,
) -> Any:
    """Return the 68 landmarks (68, 3), contour first, in the space of the vertices (V, 3).

    rotation (3, 3): the head's, which chooses the contour; with torch the points carry gradients.
    """
    row = contour_row(rotation, legacy)
    chosen = np.concatenate([embedding.contour_faces[row], embedding.fixed_faces])
    weights = np.concatenate([embedding.contour_barycentric[row], embedding.fixed_barycentric])
    table = LandmarkTable(np.arange(len(chosen), dtype=np.int32), chosen, weights)
    return landmark_points(vertices, faces, table, xp)
