# SPDX-License-Identifier: Apache-2.0
"""Reads the texture layout of an OBJ file: which texture vertices its triangles use.

Does not know FLAME, and reads no materials, normals or groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.assets.pickle_values import Array
from rome_backend.core.types import F32


@dataclass(frozen=True)
class Layout:
    """vertices: how many; uvs (Vt, 2) f32, v up; faces, uv_faces (F, 3) i64."""

    vertices: int
    uvs: F32
    faces: Array
    uv_faces: Array


def read_layout(text: str) -> Layout:
    """Return the layout of an OBJ's text.

    Raises ValueError, whose text is half a sentence, for faces that are no triangles, that lack
    texture vertices or name ones that do not exist, and for numbers that are not finite.
    """
    vertices = 0
    uvs: list[tuple[float, float]] = []
    corners: list[list[tuple[int, int]]] = []
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "v":
            vertices += 1
        elif word == "vt":
            uvs.append(_pair(rest))
        elif word == "f":
            corners.append([_corner(part) for part in rest.split()])
    if not corners or any(len(face) != 3 for face in corners):
        raise ValueError("its faces are not triangles")
    table = np.asarray(corners, np.int64) - 1
    places = np.asarray(uvs, np.float32).reshape(-1, 2)
    faces, uv_faces = table[..., 0], table[..., 1]
    if not np.isfinite(places).all():
        raise ValueError("a texture vertex is not finite")
    if faces.min() < 0 or faces.max() >= vertices:
        raise ValueError("a face names a vertex that does not exist")
    if uv_faces.min() < 0 or uv_faces.max() >= len(places):
        raise ValueError("a face names a texture vertex that does not exist")
    return Layout(vertices, places, np.ascontiguousarray(faces), np.ascontiguousarray(uv_faces))


def _pair(text: str) -> tuple[float, float]:
    parts = text.split()
    try:
        return float(parts[0]), float(parts[1])
    except (ValueError, IndexError) as error:
        raise ValueError("a texture vertex is no pair of numbers") from error


def _corner(text: str) -> tuple[int, int]:
    parts = text.split("/")
    try:
        return int(parts[0]), int(parts[1])
    except (ValueError, IndexError) as error:
        raise ValueError("a face lacks texture vertices") from error
