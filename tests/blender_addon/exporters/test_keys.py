# SPDX-License-Identifier: GPL-3.0-or-later
"""Baking moves what keys show into the Basis; dropping and baring leave what was promised."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from blender_addon.exporters.keys import ARKIT, bake, drop, freeze, make_bare, shown_values
from blender_addon.rig.offsets import bare_points
from blender_addon.rig.signature import key_points
from rome_backend.open_head.expressions import ARKIT_NAMES


def _shown(blender, head):
    values = shown_values(head.mesh, blender.bpy.context.evaluated_depsgraph_get())
    freeze(head.mesh, values)
    return values


def test_all_of_apple_s_names_are_known():
    assert set(ARKIT_NAMES) | {"tongueOut"} == ARKIT and len(ARKIT) == 52


def test_shown_values_follow_the_bones(blender, ada):
    values = shown_values(ada.mesh, blender.bpy.context.evaluated_depsgraph_get())
    assert values["jawOpen"] == 1.5 and values["Hair01"] == -2.5
    turn = ada.armature.pose.bones["jaw"].rotation_quaternion.to_matrix()
    assert values["Pose14"] == pytest.approx(turn[1][1] - 1.0, abs=1e-6)


def test_frozen_keys_keep_what_they_show(blender, ada):
    before = blender.world(ada.mesh)
    _shown(blender, ada)
    assert ada.mesh.data.shape_keys.animation_data is None
    assert np.abs(blender.world(ada.mesh) - before).max() < 1e-6


def test_baking_changes_no_shape(blender, ada):
    before = blender.world(ada.mesh)
    values = _shown(blender, ada)
    baked = [name for name in values if name not in ARKIT]
    bake(ada.mesh, baked, values)
    assert np.abs(blender.world(ada.mesh) - before).max() < 1e-5
    blocks = ada.mesh.data.shape_keys.key_blocks
    assert {blocks[name].value for name in baked} == {0.0}
    assert blocks["jawOpen"].value == 1.5


def test_baked_keys_still_add_what_they_added(blender, ada):
    blocks = ada.mesh.data.shape_keys.key_blocks
    delta = key_points(blocks["Hair03"]) - key_points(blocks["Basis"])
    values = _shown(blender, ada)
    bake(ada.mesh, ["Hair03"], values)
    found = key_points(blocks["Hair03"]) - key_points(blocks["Basis"])
    assert np.abs(found - delta).max() < 1e-6


def test_muted_and_pinned_keys_bake_as_they_show(blender, ada):
    blocks = ada.mesh.data.shape_keys.key_blocks
    blocks["Hair01"].mute = True
    ada.mesh.active_shape_key_index = 5
    values = _shown(blender, ada)
    before = blender.world(ada.mesh)
    ada.mesh.show_only_shape_key = True
    bake(ada.mesh, ["Hair01", "Hair02"], values)
    assert np.abs(blender.world(ada.mesh) - before).max() < 1e-5
    assert blocks["Hair01"].mute and not blocks["Hair02"].mute


def test_dropped_keys_are_gone_with_their_drivers(blender, ada):
    drop(ada.mesh, ["Pose14", "Hair01"])
    keys = ada.mesh.data.shape_keys
    assert "Pose14" not in keys.key_blocks and "Hair01" not in keys.key_blocks
    assert "Pose13" in keys.key_blocks
    paths = [curve.data_path for curve in keys.animation_data.drivers]
    assert len(paths) == 17 and 'key_blocks["Pose14"].value' not in paths


def test_moved_identity_sliders_are_part_of_the_bare_shape(blender, ada):
    blocks = ada.mesh.data.shape_keys.key_blocks
    blocks["Shape2"].value, blocks["Shape3"].value = 1.5, -2.0
    blocks["Shape3"].mute = True
    delta = key_points(blocks["Shape2"]) - key_points(blocks["Basis"])
    wanted = bare_points(ada.mesh) + 1.5 * delta
    values = shown_values(ada.mesh, blender.bpy.context.evaluated_depsgraph_get())
    make_bare(ada.mesh, values)
    points = np.empty(wanted.size, np.float32)
    ada.mesh.data.vertices.foreach_get("co", points)
    assert np.abs(points.reshape(-1, 3) - wanted).max() < 1e-6


def test_bare_is_the_identity_and_leaves_nothing(blender, ada):
    wanted = bare_points(ada.mesh)
    values = shown_values(ada.mesh, blender.bpy.context.evaluated_depsgraph_get())
    make_bare(ada.mesh, values)
    assert ada.mesh.data.shape_keys is None and len(blender.bpy.data.shape_keys) == 0
    points = np.empty(wanted.size, np.float32)
    ada.mesh.data.vertices.foreach_get("co", points)
    assert np.abs(points.reshape(-1, 3) - wanted).max() < 1e-6
