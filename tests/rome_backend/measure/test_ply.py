# SPDX-License-Identifier: Apache-2.0
"""Tests of the reader of PLY meshes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.measure.ply import read_ply

HEADER = """ply
format binary_little_endian 1.0
comment a tetrahedron
element vertex 4
property float x
property float y
property float z
property uchar red
element face 4
property list uchar int vertex_indices
end_header
"""
POINTS = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.5)]
FACES = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]


def mesh(header: str = HEADER, faces: list[tuple[int, ...]] = FACES) -> bytes:
    body = b"".join(struct.pack("<3fB", *point, 200) for point in POINTS)
    body += b"".join(struct.pack(f"<B{len(face)}i", len(face), *face) for face in faces)
    return header.encode() + body


def test_reads_vertices_and_faces(tmp_path: Path) -> None:
    file = tmp_path / "a.ply"
    file.write_bytes(mesh())
    vertices, faces = read_ply(file)
    assert vertices.dtype == np.float64 and faces.dtype == np.int32
    np.testing.assert_array_equal(vertices, POINTS)
    np.testing.assert_array_equal(faces, FACES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ply\n",
        mesh(HEADER.replace("binary_little_endian", "ascii")),
        mesh(HEADER.replace("vertex 4", "vertex 400000")),
        mesh(HEADER.replace("vertex 4", "vertex -4")),
        mesh(HEADER.replace("float x", "quad x")),
        mesh(HEADER.replace("property float z\n", "")),
        mesh(HEADER.replace("element face 4", "element edge 4")),
        mesh(faces=[*FACES[:3], (0, 3, 9)]),
        mesh(faces=[*FACES[:3], (0, 3, -1)]),
        mesh(faces=[(0, 1, 2, 3), *FACES[1:]]),
        mesh()[:-20],
    ],
)
def test_refuses_what_is_no_triangle_mesh(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "b.ply"
    file.write_bytes(data)
    with pytest.raises(FileInvalid) as caught:
        read_ply(file)
    assert caught.value.code == "mesh_invalid" and "b.ply" in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileInvalid):
        read_ply(tmp_path / "none.ply")
