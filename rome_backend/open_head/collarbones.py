# SPDX-License-Identifier: Apache-2.0
"""Collarbones, the hollows above them and the pit of the neck, as a relief on the shoulders.

Does not know topology: it raises and lowers given vertices along their normals.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F64, I32

# The left collarbone from the breastbone to the shoulder, in mm (x, y).
BONE = np.array([[13.0, -189.0], [40.0, -188.0], [80.0, -180.0], [118.0, -173.0], [150.0, -172.0]])
RIDGE_MM, RIDGE_REACH_MM = 4.2, 8.0
# Middle (x, y), reach and depth in mm: the pit between the bones, the hollow above each of them.
PIT = (0.0, -184.0, 10.0, 4.5)
HOLLOW = (62.0, -166.0, 17.0, 3.5)
IN_FRONT = (-0.115, -0.085)


def with_collarbones(vertices: F64, faces: I32, shoulders: I32) -> F64:
    """Return vertices (V, 3) m with the relief on the vertices numbered in shoulders."""
    result = vertices.copy()
    normals = vertex_normals(vertices, faces)[shoulders]
    result[shoulders] += relief(vertices[shoulders])[:, None] * normals
    return result


def relief(points: F64) -> F64:
    """Return how far (N,) m points (N, 3) m of the shoulders rise; mirror symmetric.

    Only what faces forwards: it fades out between the z of IN_FRONT.
    """
    flat = np.column_stack([np.abs(points[:, 0]), points[:, 1]]) * 1000
    rise = RIDGE_MM * np.exp(-((bone_distance(flat) / RIDGE_REACH_MM) ** 2))
    for x, y, reach, depth in (PIT, HOLLOW):
        squared = np.sum((flat - (x, y)) ** 2, axis=1)
        rise = rise - depth * np.exp(-squared / reach**2)
    front = np.clip((points[:, 2] - IN_FRONT[0]) / (IN_FRONT[1] - IN_FRONT[0]), 0, 1)
    return rise / 1000 * front * front * (3 - 2 * front)


def bone_distance(flat: F64) -> F64:
    """Return the distance (N,) mm of points (N, 2) mm to the collarbone's line."""
    distances = []
    for start, end in zip(BONE, BONE[1:], strict=False):
        line = end - start
        along = np.clip((flat - start) @ line / (line @ line), 0, 1)
        distances.append(np.linalg.norm(flat - start - along[:, None] * line, axis=1))
    return np.min(distances, axis=0)
