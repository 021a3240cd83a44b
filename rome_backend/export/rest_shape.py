# SPDX-License-Identifier: Apache-2.0
"""The rig's shape before any posing, as exporters without Blender need it.

Does not know file formats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, I32, RigArrays
from rome_backend.export.rig_arrays import ORIGIN


@dataclass(frozen=True)
class SeamMesh:
    """A mesh cut at its UV seams: one position per pair of vertex and UV.

    source (N,) i32: the rig's vertex of each; uvs (N, 2) f32, v up; faces (F, 3) i32.
    """

    source: I32
    uvs: F32
    faces: I32


def cut_at_seams(rig: RigArrays) -> SeamMesh:
    """Return the mesh whose corners share an index where they share vertex and UV."""
    vertices = np.asarray(rig.faces, np.int64).ravel()
    uvs = np.asarray(rig.uv_faces, np.int64).ravel()
    pairs = vertices * len(rig.uvs) + uvs
    unique, corners = np.unique(pairs, return_inverse=True)
    source, uv = np.divmod(unique, len(rig.uvs))
    faces = corners.reshape(-1, 3).astype(np.int32)
    return SeamMesh(source.astype(np.int32), rig.uvs[uv].astype(np.float32), faces)


def origin_of(rig: RigArrays) -> F64:
    """Return the point of head space (3,) m that exporters move to (0, 0, 0)."""
    return np.asarray(rig.properties.get(ORIGIN, (0.0, 0.0, 0.0)), np.float64)


def shown_vertices(rig: RigArrays) -> F64:
    """Return the vertices (V, 3) f64 m, head space, with every key at its stored value."""
    vertices = np.asarray(rig.vertices, np.float64)
    for key in rig.keys:
        if key.value:
            vertices = vertices + key.value * np.asarray(key.delta, np.float64)
    return vertices


def shown_normals(rig: RigArrays) -> F64:
    """Return the unit normals (V, 3) f64 of shown_vertices; +Y where no face touches one."""
    # In mm, because vertex_normals shortens normals of faces that are tiny in its unit.
    normals = vertex_normals(1e3 * shown_vertices(rig), rig.faces)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(lengths > 0.5, normals / np.maximum(lengths, 1e-12), (0.0, 1.0, 0.0))
