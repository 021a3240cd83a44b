# SPDX-License-Identifier: Apache-2.0
"""An OBJ read by the letter is the neutral head, and its companion files are there.

Does not know other formats.
"""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import OutOfResources, UsageError
from rome_backend.export import obj
from rome_backend.export.rest_shape import shown_vertices


def parse(path):
    """Return rows by keyword and faces (F, 3, 3) with the material of each."""
    rows, faces, materials, current = {}, [], [], None
    for line in path.read_text().splitlines():
        keyword, *values = line.split()
        if keyword == "usemtl":
            current = values[0]
        elif keyword == "f":
            faces.append([[int(n) - 1 for n in corner.split("/")] for corner in values])
            materials.append(current)
        else:
            rows.setdefault(keyword, []).append(values)
    return rows, np.array(faces), materials


def test_vertices_faces_uvs_and_materials(rig, tmp_path):
    written = obj.write_obj(rig, tmp_path / "ada.obj")
    rows, faces, materials = parse(written[0])
    origin = np.array(rig.properties["origin"])
    assert np.allclose(np.array(rows["v"], float), shown_vertices(rig) - origin, atol=1e-6)
    assert np.allclose(np.array(rows["vt"], float), rig.uvs, atol=1e-6)
    order = np.argsort(rig.eye_faces, kind="stable")
    assert np.array_equal(faces[..., 0], rig.faces[order])
    assert np.array_equal(faces[..., 1], rig.uv_faces[order])
    assert np.array_equal(np.array(materials) == "eyes", rig.eye_faces[order])
    normals = np.array(rows["vn"], float)
    points = np.array(rows["v"], float)
    corners = points[rig.faces]
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    agrees = np.einsum("fi,fi->f", crosses, normals[rig.faces].sum(axis=1)) > 0
    assert agrees.mean() > 0.8  # the synthetic surface is noise; inverted normals would give 0.1


def test_names_with_spaces_stay_readable(rig, tmp_path):
    paths = obj.write_obj(rig, tmp_path / "Ada  King.obj")
    assert [p.name for p in paths] == ["Ada  King.obj", "Ada_King.mtl", "Ada_King_albedo.png"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)
    assert "mtllib Ada_King.mtl" in paths[0].read_text()
    assert paths[1].read_text().count("map_Kd Ada_King_albedo.png") == 2
    with Image.open(paths[2]) as picture:
        assert np.array_equal(np.asarray(picture), rig.albedo)


def test_estimated_maps_lie_beside_it_and_are_named_as_such(rig, tmp_path):
    rig = replace(rig, normal_map=rig.albedo ^ 255, roughness_map=rig.confidence)
    paths = obj.write_obj(rig, tmp_path / "ada.obj")
    assert [p.name for p in paths[2:]] == [
        *("ada_albedo.png", "ada_normal.png", "ada_roughness.png")
    ]
    text = paths[1].read_text()
    assert text.count("norm ada_normal.png") == 2 == text.count("map_Pr ada_roughness.png")
    assert "estimates" in text
    for path, pixels in zip(paths[2:], (rig.albedo, rig.albedo ^ 255, rig.confidence), strict=True):
        with Image.open(path) as picture:
            assert np.array_equal(np.asarray(picture), pixels)


def test_licences_are_named(rig, tmp_path):
    for path in obj.write_obj(rig, tmp_path / "ada.obj")[:2]:
        assert "# head model: Apache-2.0" in path.read_text()


@pytest.mark.parametrize("failing", ["_obj_text", "_mtl_text", "png_bytes"])
def test_when_one_file_fails_none_is_replaced(rig, tmp_path, monkeypatch, failing):
    def full_disk(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    old = obj.write_obj(rig, tmp_path / "ada.obj")
    before = {path.name: path.read_bytes() for path in old}
    monkeypatch.setattr(obj, failing, full_disk)
    with pytest.raises(OutOfResources):
        obj.write_obj(rig, tmp_path / "ada.obj")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_an_absent_folder_is_a_usage_error(rig, tmp_path):
    with pytest.raises(UsageError):
        obj.write_obj(rig, tmp_path / "absent" / "ada.obj")
