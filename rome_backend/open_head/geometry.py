# SPDX-License-Identifier: Apache-2.0
"""The open head before it has shape, expression and pose directions.

Does not know how the surface was made, nor what is built on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from rome_backend.core.types import F64, I32, LandmarkTable, Mask
from rome_backend.open_head.laplacian import bilaplacian

EYEBALL_VERTICES = 546
FACE_LANDMARKS = 468


@dataclass(frozen=True)
class HeadGeometry:
    """Surface, rig and regions of the open head, in head space.

    vertices (V, 3) f64 m: skin first (landmark k is vertex k for k < 468; skin_count of them),
    then left eyeball, right eyeball, upper teeth, lower teeth, tongue;
    faces (F, 3) i32, counter-clockwise from outside;
    uvs (Vt, 2) f64 in [0, 1], v up, the first V belong to the vertices; uv_faces (F, 3) i32;
    mirror (V,) i32: vertices[mirror] * (-1, 1, 1) == vertices;
    weights (V, 5) f64, rows sum to 1; joint_regressor (5, V) f64 >= 0, rows sum to 1;
    parents (5,) i32; regions: name -> (V,) bool; landmarks: the 478 of MediaPipe, in order.
    """

    vertices: F64
    faces: I32
    uvs: F64
    uv_faces: I32
    mirror: I32
    weights: F64
    joint_regressor: F64
    parents: I32
    regions: Mapping[str, Mask]
    landmarks: LandmarkTable
    skin_count: int

    @property
    def skin_vertices(self) -> F64:
        """The skin's vertices (Vs, 3) m."""
        return self.vertices[: self.skin_count]

    @property
    def skin_faces(self) -> I32:
        """The skin's faces (Fs, 3)."""
        return self.faces[(self.faces < self.skin_count).all(axis=1)]

    @property
    def joints(self) -> F64:
        """The joints of the mean head (5, 3) m, in the order of JOINTS."""
        return self.joint_regressor @ self.vertices

    @property
    def landmark_positions(self) -> F64:
        """The landmarks of the mean head (478, 3) m, MediaPipe's order."""
        corners = self.vertices[self.faces[self.landmarks.faces]]
        return np.einsum("lc,lcx->lx", self.landmarks.barycentric.astype(np.float64), corners)

    def skin_energy(self) -> csr_matrix:
        """Return the bending energy of the skin (Vs, Vs), for `BilaplacianSpread`."""
        return bilaplacian(self.skin_vertices, self.skin_faces)

    def skin_region(self, name: str) -> Mask:
        """Return a region as a mask of the skin's vertices (Vs,)."""
        return self.regions[name][: self.skin_count]
