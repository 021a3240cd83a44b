# SPDX-License-Identifier: Apache-2.0
"""How far a head's mesh is from a true one, wherever and however large either stands.

Does not know files or how heads are made.

Every head is moved onto the truth by a similarity transform of their face landmarks; those that
the truth's hair hides (more than 12 mm from where the average head has them) count for nothing.
On request the transform is then refined on the face's surface, as H3DS's evaluation does it
(landmarks, then iterated closest points; Ramon et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.types import F64, I32, HeadModel
from rome_backend.measure.mesh_surface import Surface, sample_surface
from rome_backend.tracking.pose_estimate import HeadPose, procrustes

FACE_LANDMARKS, CHIN = 468, 152  # MediaPipe's without irises
SAMPLES = 20_000
BELOW_CHIN_M = 0.03
FACE_REACH_M = 0.008
_MISPLACED_M = 0.004
_HAIR_M = 0.012
_ROUNDS = 5
_CLOSE_ROUNDS, _CLOSE_POINTS = 20, 3000


@dataclass(frozen=True)
class HeadMesh:
    """A mesh with its face landmarks: vertices (V, 3) m, faces (F, 3); landmarks (468, 3) m and
    how sure each is (468,), 0 where there is none."""

    vertices: F64
    faces: I32
    landmarks: F64
    weights: F64


@dataclass(frozen=True)
class Distances:
    """forth, back: mean distance in mm from the true surface to the head and from it to the true
    one, above the plane 3 cm below the chin; face: from the true surface within 8 mm of a
    landmark to the head."""

    forth: float
    back: float
    face: float

    @property
    def chamfer(self) -> float:
        """Return the symmetric distance: the mean of both ways, mm."""
        return (self.forth + self.back) / 2


def model_mesh(head: HeadModel, vertices: F64) -> HeadMesh:
    """Return a head model's vertices (V, 3) m with the landmarks of its table."""
    table = head.landmarks
    kept = table.indices < FACE_LANDMARKS
    landmarks, weights = np.zeros((FACE_LANDMARKS, 3)), np.zeros(FACE_LANDMARKS)
    landmarks[table.indices[kept]] = landmark_points(vertices, head.faces, table)[kept]
    weights[table.indices[kept]] = 1.0
    return HeadMesh(vertices, head.faces, landmarks, weights)


class Ruler:
    """Measures heads against one true head.

    Args:
        truth: the true head, m; average: the mean head, which tells hair from face;
        seed: of the samples; refine: move heads on the face's surface after the landmarks.
    Raises ValueError when fewer than three landmarks can be trusted.
    """

    def __init__(self, truth: HeadMesh, average: HeadMesh, seed: int, refine: bool = False) -> None:
        self._truth, self._seed, self._refine = truth, seed, refine
        gap = self._fitted(average)[1]
        weights = truth.weights.copy()
        weights[np.flatnonzero(average.weights > 0)[gap > _HAIR_M]] = 0.0
        self._truth = replace(truth, weights=weights)
        self._lowest = float(truth.landmarks[CHIN, 1]) - BELOW_CHIN_M
        mesh = (truth.vertices, truth.faces)
        self._surface = Surface(*mesh, self._lowest)
        self._samples, _ = sample_surface(*mesh, SAMPLES, seed, self._lowest)
        dense, _ = sample_surface(*mesh, 10 * SAMPLES, seed + 1, self._lowest)
        away: F64 = np.asarray(cKDTree(truth.landmarks[weights > 0]).query(dense)[0])
        self._face = dense[away < FACE_REACH_M][:SAMPLES]

    def distances(self, mesh: HeadMesh) -> Distances:
        """Return how far a head, neutral where the truth is, stays from the true one."""
        moved = self._fitted(mesh)[0].to_view(mesh.vertices)
        if self._refine:
            moved = self._closer(moved, mesh.faces)
        surface = Surface(moved, mesh.faces, self._lowest)
        samples, _ = sample_surface(moved, mesh.faces, SAMPLES, self._seed, self._lowest)
        ways = (
            surface.distance(self._samples),
            self._surface.distance(samples),
            surface.distance(self._face),
        )
        return Distances(*(1000 * float(each.mean()) for each in ways))

    def _fitted(self, mesh: HeadMesh) -> tuple[HeadPose, F64]:
        """Return the similarity onto the truth and how far each landmark stays from it."""
        known = mesh.weights > 0
        points, target = mesh.landmarks[known], self._truth.landmarks[known]
        weights = trust = self._truth.weights[known] * mesh.weights[known]
        if (trust > 0).sum() < 3:
            raise ValueError("fewer than three landmarks are known on both heads")
        for _ in range(_ROUNDS):
            pose = procrustes(points, target, weights)
            gap = np.linalg.norm(pose.to_view(points) - target, axis=1)
            weights = trust / (1 + (gap / _MISPLACED_M) ** 2)
        return pose, gap

    def _closer(self, vertices: F64, faces: I32) -> F64:
        """Return vertices moved so that the true face's points lie nearest to their surface."""
        samples, _ = sample_surface(vertices, faces, 10 * SAMPLES, self._seed)
        step = max(1, len(self._face) // _CLOSE_POINTS)
        target = self._face[::step]
        for _ in range(_CLOSE_ROUNDS):
            gap, place = cKDTree(samples).query(target)
            weights = 1 / (1 + (gap / _MISPLACED_M) ** 2)
            pose = procrustes(samples[place], target, weights)
            samples, vertices = pose.to_view(samples), pose.to_view(vertices)
        return vertices
