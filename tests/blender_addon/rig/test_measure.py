# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that measures a rig: every frame moves, and its exit codes.

Does not know limits.
"""

from __future__ import annotations

import json

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")


@pytest.fixture
def rig_file(rig, tmp_path):
    from rome_backend.core.rig_file import save_rig

    path = tmp_path / "head.rig"
    save_rig(rig, path)
    return path


def test_the_answer_is_one_object_that_fits_the_rig(empty_blender, rig, rig_file, capfd):
    from blender_addon.rig.measure import main

    assert main([str(rig_file), "30", "2"]) == 0
    found = json.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert found["keys"] == len(rig.keys) and found["vertices"] == len(rig.vertices)
    assert found["drivers"] == sum(key.driver is not None for key in rig.keys)
    assert len(found["build_seconds"]) == 2 and found["play_seconds"] > 0


def test_a_head_that_does_not_move_is_not_called_played(empty_blender, rig):
    """A bench that plays nothing would be very fast."""
    from blender_addon.rig.build import build_head
    from blender_addon.rig.measure import _play

    with pytest.raises(RuntimeError, match="nothing moved"):
        _play(build_head(rig), 3)


def test_no_free_key_rests_at_zero_while_it_plays(empty_blender, rig):
    from blender_addon.rig.measure import measure

    measure(rig, 30, 1)
    bpy = empty_blender
    blocks = bpy.data.objects["Ada"].data.shape_keys.key_blocks
    for frame in (1, 10, 26, 30):
        bpy.context.scene.frame_set(frame)
        assert all(abs(blocks[key.name].value) > 0 for key in rig.keys if key.driver is None)


def test_what_is_no_rig_is_exit_code_1_and_wrong_usage_2(empty_blender, rig, tmp_path, capfd):
    from blender_addon.rig.measure import main

    path = tmp_path / "bad.rig"
    path.write_bytes(b"no rig")
    assert main([str(path), "3", "1"]) == 1
    assert "FileInvalid" in capfd.readouterr().err
    assert main([str(path)]) == 2
