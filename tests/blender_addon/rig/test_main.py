# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that turns a rig file into a .blend: its exit codes and what it leaves.

Does not know who starts it.
"""

from __future__ import annotations

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")


@pytest.fixture
def program(empty_blender):
    from blender_addon.rig.__main__ import main

    return main


@pytest.fixture
def rig_file(rig, tmp_path):
    from rome_backend.core.rig_file import save_rig

    path = tmp_path / "head.rig"
    save_rig(rig, path)
    return path


def test_the_file_opens_on_the_photo_s_view(empty_blender, program, rig_file, rig, tmp_path):
    path = tmp_path / "head.blend"
    assert program([str(rig_file), str(path)]) == 0
    empty_blender.ops.wm.open_mainfile(filepath=str(path))
    scene = empty_blender.context.scene
    assert scene.camera.name == "Ada Camera"
    assert (scene.render.resolution_x, scene.render.resolution_y) == rig.photo.shape[1::-1]
    assert scene.view_settings.view_transform == "Standard"
    assert [c.name for c in scene.collection.children] == ["Ada", "Studio"]
    assert scene.world is not None


def test_viewports_show_the_textured_head(empty_blender, program, rig_file, tmp_path):
    """Blender's own default would show a grey speck: heads are small beside its usual cube."""
    path = tmp_path / "head.blend"
    assert program([str(rig_file), str(path)]) == 0
    empty_blender.ops.wm.open_mainfile(filepath=str(path))
    head = empty_blender.data.objects["Ada"]
    spaces = {
        screen.name: area.spaces.active
        for screen in empty_blender.data.screens
        for area in screen.areas
        if area.type == "VIEW_3D"
    }
    assert spaces["Layout"].region_3d.view_perspective == "CAMERA"
    for space in spaces.values():
        assert space.shading.color_type == "TEXTURE"
        assert max(head.dimensions) < space.region_3d.view_distance < 8 * max(head.dimensions)
        assert space.region_3d.view_location.z == pytest.approx(head.dimensions.z / 2, rel=0.2)


def test_a_damaged_rig_file_ends_in_one_line(program, tmp_path, capsys):
    bad = tmp_path / "bad.rig"
    bad.write_bytes(b"not a rig")
    assert program([str(bad), str(tmp_path / "head.blend")]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "bad.rig" in lines[0]
    assert not (tmp_path / "head.blend").exists()


def test_a_folder_that_is_not_there_fails(program, rig_file, tmp_path):
    assert program([str(rig_file), str(tmp_path / "absent" / "head.blend")]) == 1


def test_wrong_usage(program, capsys):
    assert program([]) == 2
    assert "usage" in capsys.readouterr().err
