# SPDX-License-Identifier: Apache-2.0
"""Tests of the reader of meshes: OBJ's ways of writing faces, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.measure.meshes import read_mesh

SQUARE = "# a square\no it\nv 0 0 0\nv 1 0 0 0.5 0.5 0.5\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "it.obj"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "faces", ["f 1 2 3 4", "f 1/1 2/1 3/1 4/1", "f 1/1/1 2//1 3 4//1", "f -4 -3 -2 -1"]
)
def test_a_square_is_two_triangles_however_it_is_written(tmp_path: Path, faces: str) -> None:
    vertices, triangles = read_mesh(written(tmp_path, SQUARE + "usemtl m\ns off\n" + faces + "\n"))
    assert np.array_equal(vertices, [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    assert triangles.tolist() == [[0, 1, 2], [0, 2, 3]] and triangles.dtype == np.int32


@pytest.mark.parametrize(
    "text",
    ["", SQUARE, SQUARE + "f 1 2 9", SQUARE + "f 1 2 x", SQUARE + "f -9 -2 -1",
     "v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3", "v 0 0\nf 1 1 1", SQUARE + "f 0 1 2 3 4 9"],
)  # fmt: skip
def test_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        read_mesh(written(tmp_path, text))
    assert caught.value.code == "mesh_invalid"


def test_a_ply_goes_to_its_own_reader(tmp_path: Path) -> None:
    path = tmp_path / "it.PLY"
    path.write_bytes(b"not a mesh")
    with pytest.raises(FileInvalid, match="PLY"):
        read_mesh(path)
    with pytest.raises(FileInvalid):
        read_mesh(tmp_path / "absent.obj")
