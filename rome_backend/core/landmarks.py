# SPDX-License-Identifier: Apache-2.0
"""MediaPipe's landmarks on a head model: where they are, and how far from observed ones.

Does not know how landmarks are found in a photo, and no torch: the array namespace is an argument.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from .types import LandmarkTable

# The 105 non-iris MediaPipe landmarks that FLAME's published embedding covers, in its order:
# left brow, right brow (the subject's sides), left eye, right eye, nose, lips.
LANDMARKS_105: tuple[int, ...] = (
    276, 282, 283, 285, 293, 295, 296, 300, 334, 336, 46, 52, 53, 55, 63, 65, 66, 70, 105, 107,
    249, 263, 362, 373, 374, 380, 381, 382, 384, 385, 386, 387, 388, 390, 398, 466, 7, 33, 133,
    144, 145, 153, 154, 155, 157, 158, 159, 160, 161, 163, 173, 246, 168, 6, 197, 195, 5, 4, 129,
    98, 97, 2, 326, 327, 358, 0, 13, 14, 17, 37, 39, 40, 61, 78, 80, 81, 82, 84, 87, 88, 91, 95,
    146, 178, 181, 185, 191, 267, 269, 270, 291, 308, 310, 311, 312, 314, 317, 318, 321, 324, 375,
    402, 405, 409, 415,
)  # fmt: skip

# Outer eye corners: the subject's right, then left. Their distance is our inter-ocular distance.
OUTER_EYE_CORNERS = (33, 263)


def landmark_points(vertices: Any, faces: Any, table: LandmarkTable, xp: ModuleType = np) -> Any:
    """Return the landmarks (..., L, 3) of a mesh with vertices (..., V, 3) and faces (F, 3).

    The unit and space are those of the vertices; order: ``table.indices``.
    """
    corners = np.asarray(faces)[np.asarray(table.faces)]
    if xp is np:
        vertices = np.asarray(vertices, np.float64)
        weights = np.asarray(table.barycentric, np.float64)
    else:
        corners = xp.asarray(corners, dtype=xp.int64, device=vertices.device)
        weights = xp.asarray(table.barycentric, dtype=vertices.dtype, device=vertices.device)
    return (vertices[..., corners, :] * weights[..., None]).sum(-2)


def interocular_distance(observed: Any) -> float:
    """Return the px distance of the outer eye corners of landmarks (468+, 2 or more)."""
    points = np.asarray(observed, np.float64)
    right, left = OUTER_EYE_CORNERS
    return float(np.linalg.norm(points[left, :2] - points[right, :2]))


def reprojection_percent_iod(
    points: Any, observed: Any, indices: tuple[int, ...] = LANDMARKS_105
) -> float:
    """Return the mean landmark distance in percent of the inter-ocular distance.

    points (L, 2 or more) px: the landmarks ``indices`` projected from a head, in that order, or
    all 468+ of them; observed (468+, 2 or more) px: MediaPipe's, which also give the distance.
    Raises ValueError when the counts do not match or the eyes coincide.
    """
    chosen = np.asarray(indices)
    predicted = np.asarray(points, np.float64)[..., :2]
    measured = np.asarray(observed, np.float64)[..., :2]
    if len(predicted) == len(measured):
        predicted = predicted[chosen]
    if len(predicted) != len(chosen):
        raise ValueError(f"{len(predicted)} points for {len(chosen)} landmarks")
    unit = interocular_distance(measured)
    if not unit > 0:
        raise ValueError("the outer eye corners coincide")
    distances = np.linalg.norm(predicted - measured[chosen], axis=-1)
    return float(100 * distances.mean() / unit)
