# SPDX-License-Identifier: Apache-2.0
"""Reads triangle meshes from binary PLY files.

Does not know what the meshes show.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import F64, I32

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2",
    "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
_LONGEST_HEADER = 65536


def read_ply(path: Path) -> tuple[F64, I32]:
    """Return vertices (V, 3) f64 in the file's unit and triangles (F, 3) i32.

    Source: the PLY format, binary little endian; other vertex properties are passed over.
    Raises FileInvalid `mesh_invalid` for other encodings, polygons, or sizes that do not fit.
    """
    try:
        data = path.read_bytes()
        vertex, face, counts, start = _header(data)
        end = start + counts[0] * vertex.itemsize
        points = np.frombuffer(data[start:end], vertex, counts[0])
        polygons = np.frombuffer(data[end : end + counts[1] * face.itemsize], face, counts[1])
        vertices = np.stack([points[axis] for axis in "xyz"], axis=1).astype(np.float64)
        faces = polygons["corners"].astype(np.int32)
    except (OSError, ValueError, KeyError) as error:
        raise _invalid(path, str(error)) from error
    if (polygons["count"] != 3).any():
        raise _invalid(path, "a face is no triangle")
    if not np.isfinite(vertices).all() or faces.min(initial=0) < 0:
        raise _invalid(path, "a number is out of range")
    if faces.max(initial=-1) >= len(vertices):
        raise _invalid(path, "a face names a vertex that is not there")
    return vertices, faces


def _header(data: bytes) -> tuple[np.dtype, np.dtype, tuple[int, int], int]:
    """Return the records of vertices and faces, how many of each, and where they begin."""
    end = data.find(b"end_header\n", 0, _LONGEST_HEADER)
    lines = data[: max(end, 0)].decode("ascii", "replace").split("\n")
    if end < 0 or lines[0] != "ply" or "format binary_little_endian 1.0" not in lines:
        raise ValueError("it is no binary little-endian PLY file")
    counts: dict[str, int] = {}
    fields: dict[str, list[tuple[str, str]]] = {}
    for words in (line.split() for line in lines):
        if words[:1] == ["element"]:
            name = words[1]
            counts[name], fields[name] = int(words[2]), []
        elif words[:2] == ["property", "list"]:
            fields[name].append(("count", f"<{_TYPES[words[2]]}"))
            fields[name].append(("corners", f"<3{_TYPES[words[3]]}"))
        elif words[:1] == ["property"]:
            fields[name].append((words[2], f"<{_TYPES[words[1]]}"))
    if list(counts) != ["vertex", "face"] or min(counts.values()) < 1:
        raise ValueError("it must hold vertices, then faces")
    records = [np.dtype([(n, f[0] + f[2:], 3) if f[1] == "3" else (n, f) for n, f in fields[e]])
               for e in counts]  # fmt: skip
    return records[0], records[1], (counts["vertex"], counts["face"]), end + len(b"end_header\n")


def _invalid(path: Path, why: str) -> FileInvalid:
    return FileInvalid(
        "mesh_invalid", f"{path.name} cannot be read as a mesh ({why}).", "Give another file."
    )
