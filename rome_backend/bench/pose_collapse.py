# SPDX-License-Identifier: Apache-2.0
"""Measures how the skin bears turning jaw and neck: collapsed faces, torn edges, lost thickness.

Does not know expressions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F64, I32, FlameParams, HeadModel
from rome_backend.open_head.landmark_sets import MOUTH_CORNERS

JAW_OPENING = 30.0
POSES = (
    ("jaw 25 open", "jaw", "x", 25.0),
    ("jaw 30 open", "jaw", "x", JAW_OPENING),
    ("neck 40 yaw", "neck", "y", 40.0),
    ("neck 40 down", "neck", "x", 40.0),
    ("neck 40 up", "neck", "x", -40.0),
    ("neck 40 roll", "neck", "z", 40.0),
)
TINY_M, TINY_M2 = 2e-4, 6e-7  # shorter edges and smaller faces say nothing
CORNER_M = 0.012
HIDDEN = ("mouth_inside", "left_eyeball", "right_eyeball", "teeth", "gums", "tongue")


def turned(head: HeadModel, joint: str, axis: str, degrees: float) -> F64:
    """Return the average head's vertices (V, 3) m with one joint, "jaw" or "neck", turned."""
    vector = Rotation.from_euler(axis, degrees, degrees=True).as_rotvec()
    zeros = np.zeros(head.shape_dirs.shape[2]), np.zeros(len(head.expression_names))
    return posed_vertices(head, FlameParams(*zeros, **{joint: vector}))


def pose_measures(head: HeadModel) -> list[dict[str, Any]]:
    """Return one entry for each pose of `POSES`, ready for JSON.

    least_area, least_edge: smallest ratio of a visible face's area and of an edge's length to
    rest; crushed_faces: faces below a fifth of their area; flipped_faces: faces that look
    inwards; corner_stretch: largest ratio of an edge beside the mouth's corners; thickness:
    smallest ratio of the distance between opposite points of the neck.
    """
    rest = head.template.astype(np.float64)
    faces = visible_faces(head)
    return [
        {"pose": name} | _compared(head, rest, turned(head, joint, axis, degrees), faces)
        for name, joint, axis, degrees in POSES
    ]


def visible_faces(head: HeadModel) -> I32:
    """Return the faces (F, 3) of skin that can be seen with the mouth shut."""
    hidden = [head.regions[name] for name in HIDDEN if name in head.regions]
    sockets = (head.regions["left_eye_region"] | head.regions["right_eye_region"]) & (
        ~head.regions["face"]
    )
    return head.faces[~np.logical_or.reduce([sockets, *hidden])[head.faces].any(axis=1)]


def face_changes(rest: F64, moved: F64, faces: I32) -> tuple[F64, F64]:
    """Return the ratio of each face's area (F,) and the cosine (F,) between its normals."""
    before, after = (_crosses(vertices, faces) for vertices in (rest, moved))
    sizes = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    cosine = np.sum(before * after, axis=1) / np.maximum(sizes[0] * sizes[1], 1e-16)
    return sizes[1] / np.maximum(sizes[0], 1e-12), cosine


def jaw_opening_mm(head: HeadModel) -> float:
    """Return the distance in mm between the lips' middles with the jaw opened by 30 degrees."""
    opened = turned(head, "jaw", "x", JAW_OPENING)
    return 1000 * float(np.linalg.norm(opened[13] - opened[14]))


def _crosses(vertices: F64, faces: I32) -> F64:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def _compared(head: HeadModel, rest: F64, moved: F64, faces: I32) -> dict[str, Any]:
    faces = faces[np.linalg.norm(_crosses(rest, faces), axis=1) / 2 > TINY_M2]
    area, _ = face_changes(rest, moved, faces)
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    lengths = [np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (rest, moved)]
    ratio, long = lengths[1] / np.maximum(lengths[0], 1e-9), lengths[0] > TINY_M
    corners = cKDTree(rest[list(MOUTH_CORNERS)])
    beside = corners.query(rest[edges].mean(axis=1))[0] < CORNER_M
    return {
        "least_area": round(float(area.min()), 3),
        "crushed_faces": int((area < 0.2).sum()),
        "least_edge": round(float(ratio[long].min()), 3),
        "flipped_faces": _flipped(head, rest, moved, faces),
        "corner_stretch": round(float(ratio[long & beside].max()), 2),
        "thickness": round(_thickness(head, rest, moved), 3),
    }


def _flipped(head: HeadModel, rest: F64, moved: F64, faces: I32) -> int:
    """Return how many faces look against the way their corners' surroundings were turned."""
    around = cKDTree(rest).query(rest, k=24)[1]
    first = rest[around] - rest[around].mean(axis=1, keepdims=True)
    second = moved[around] - moved[around].mean(axis=1, keepdims=True)
    left, _, right = np.linalg.svd(np.einsum("vki,vkj->vij", second, first))
    right[:, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    turns = (left @ right)[faces[:, 0]]
    before, after = _crosses(rest, faces), _crosses(moved, faces)
    return int((np.einsum("fij,fj,fi->f", turns, before, after) < 0).sum())


def _thickness(head: HeadModel, rest: F64, moved: F64) -> float:
    """Return the least ratio of the distance between opposite points of the neck."""
    weight = head.weights[:, 1]
    neck = np.flatnonzero(head.regions["neck"] & (weight > 0.1) & (weight < 0.9))
    axis = head.joint_regressor.astype(np.float64)[1] @ rest
    facing = rest[neck] * (1, 1, -1) + (0, 0, 2 * axis[2])
    opposite = neck[cKDTree(rest[neck]).query(facing * (-1, 1, 1))[1]]
    before = np.linalg.norm(rest[neck] - rest[opposite], axis=1)
    after = np.linalg.norm(moved[neck] - moved[opposite], axis=1)
    wide = before > 0.5 * before.max()
    return float((after[wide] / before[wide]).min())
