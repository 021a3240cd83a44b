# SPDX-License-Identifier: Apache-2.0
"""The face landmarks of a mesh: what the tracker sees in pictures of it, cast onto its surface.

Does not know files, head models or distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from rome_backend.core.camera import perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import F64, I32, TrackedFace
from rome_backend.measure.head_ruler import FACE_LANDMARKS, HeadMesh
from rome_backend.measure.mesh_surface import ray_hits
from rome_backend.render.shading import picture
from rome_backend.tracking.face_mesh import SURE, FaceTracker

_SIDE, _YAWS = 384, (-30.0, 0.0, 30.0)
_AWAY, _ROOM = 4.0, 1.3  # of the mesh's largest side: the camera's distance, what it sees
_GREY = (128, 128, 128)
_FACING = 4  # power of the cosine by which a landmark that is seen squarely counts more


@dataclass(frozen=True)
class View:
    """A pinhole camera in OpenCV's axes: matrix (3, 3) px, rotation (3, 3), shift (3,):
    camera = rotation p + shift."""

    matrix: F64
    rotation: F64
    shift: F64


def landmarks_in_view(
    face: TrackedFace | None, view: View, vertices: F64, faces: I32
) -> tuple[F64, F64]:
    """Return the landmarks (468, 3) that one picture shows, nan where a ray misses the mesh, and
    how squarely each is seen (468,); nothing where there is no face."""
    if face is None:
        return np.full((FACE_LANDMARKS, 3), np.nan), np.zeros(FACE_LANDMARKS)
    pixels = face.landmarks[:FACE_LANDMARKS, :2].astype(np.float64)
    inverse = np.linalg.inv(view.matrix)
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ inverse.T @ view.rotation
    return ray_hits(-view.rotation.T @ view.shift, rays, vertices, faces)


def joined(views: Sequence[tuple[F64, F64]]) -> tuple[F64, F64]:
    """Return landmarks (468, 3) as the mean over views, by how squarely, and weights (468,)."""
    points = np.array([view[0] for view in views])
    facing = np.array([view[1] for view in views]) ** _FACING
    weights = np.where(np.isfinite(points[..., 0]), facing, 0)
    total = weights.sum(axis=0)
    share = weights / np.maximum(total, 1e-9)
    mean = np.einsum("vl,vlx->lx", share, np.nan_to_num(points))
    return mean, np.minimum(total, 1.0)


def clay_mesh(vertices: F64, faces: I32, tracker: FaceTracker) -> HeadMesh | None:
    """Return a mesh with the landmarks seen in three pictures of it in clay; None without a face.

    The mesh is taken to look along +Z with +Y up; where no face is seen so, the other ways in
    which axes can lie are tried, and the mesh comes back turned.
    """
    for turn in _axes():
        turned = vertices @ turn.T
        face, view = _clay(turned, faces, 0.0, tracker)
        if face is None or face.score < SURE:
            continue
        views = [landmarks_in_view(face, view, turned, faces)]
        for yaw in _YAWS:
            if yaw:
                views.append(landmarks_in_view(*_clay(turned, faces, yaw, tracker), turned, faces))
        return HeadMesh(turned, faces, *joined(views))
    return None


def _axes() -> list[F64]:
    """Return the 24 rotations of axes onto axes, that which changes nothing first."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            matrix = np.diag(signs)[:, list(order)]
            if np.linalg.det(matrix) > 0:
                found.append(matrix)
    return found


def _clay(
    vertices: F64, faces: I32, yaw: float, tracker: FaceTracker
) -> tuple[TrackedFace | None, View]:
    """Return the face in a picture of the mesh from ``yaw`` degrees, and the camera."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    reach = float((high - low).max())
    rotation = rotation_matrices(np.array([0.0, np.radians(-yaw), 0.0]))
    shift = np.array([0.0, 0.0, -_AWAY]) - rotation @ ((low + high) / 2 / reach)
    focal = _SIDE * _AWAY / _ROOM
    camera = perspective(focal, rotation, shift, _SIDE, _SIDE)
    shown = picture(vertices / reach, faces, None, None, camera, None, 1, _GREY)
    found = tracker.track(np.ascontiguousarray(shown[..., :3]))
    flip = np.diag([1.0, -1.0, -1.0])
    matrix = np.array([[focal, 0, _SIDE / 2], [0, focal, _SIDE / 2], [0, 0, 1]])
    return (found[0] if found else None), View(matrix, flip @ rotation, reach * (flip @ shift))
