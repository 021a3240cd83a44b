# SPDX-License-Identifier: Apache-2.0
"""Reads triangle meshes from PLY and OBJ files, by the name's ending.

Does not know what the meshes show.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import F64, I32
from rome_backend.measure.ply import read_ply

ENDINGS = (".ply", ".obj")


def read_mesh(path: Path) -> tuple[F64, I32]:
    """Return vertices (V, 3) f64 in the file's unit and triangles (F, 3) i32.

    Polygons of an OBJ become fans of triangles; its texture, normals and groups are passed over.
    Raises FileInvalid (`mesh_invalid`).
    """
    return read_ply(path) if path.suffix.lower() == ".ply" else _read_obj(path)


def _read_obj(path: Path) -> tuple[F64, I32]:
    points: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    try:
        for line in path.read_text("utf-8", errors="replace").splitlines():
            word, *rest = line.split() or [""]
            if word == "v":
                points.append([float(each) for each in rest[:3]])
            elif word == "f":
                corners = [_corner(each, len(points)) for each in rest]
                triangles += [
                    (corners[0], *pair) for pair in zip(corners[1:], corners[2:], strict=False)
                ]
        vertices = np.array(points, np.float64).reshape(-1, 3)
        faces = np.array(triangles, np.int64).reshape(-1, 3)
    except (OSError, ValueError) as error:
        raise _invalid(path, str(error)) from error
    if not len(faces) or not np.isfinite(vertices).all():
        raise _invalid(path, "it holds no triangles, or numbers that are not finite")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise _invalid(path, "a face names a vertex that is not there")
    return vertices, faces.astype(np.int32)


def _corner(text: str, count: int) -> int:
    """Return the place of a corner's vertex; numbers below 0 count from the last one."""
    number = int(text.partition("/")[0])
    return number - 1 if number > 0 else count + number


def _invalid(path: Path, why: str) -> FileInvalid:
    return FileInvalid(
        "mesh_invalid", f"{path.name} cannot be read as a mesh ({why}).", "Give another file."
    )
