# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones under the names of other programs, with everything that hangs on them."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from blender_addon.core_access import JOINTS
from blender_addon.exporters.bones import BONES, rename_bones
from blender_addon.exporters.head_export import animated_keys


@pytest.mark.parametrize("names", BONES)
def test_every_joint_has_one_name(names):
    assert set(BONES[names]) == set(JOINTS)
    assert len(set(BONES[names].values())) == len(JOINTS)


@pytest.mark.parametrize("names", BONES)
def test_skin_drivers_and_pose_follow(blender, ada, names):
    table = BONES[names]
    wanted = blender.world(ada.mesh)
    parents = {bone.name: bone.parent and bone.parent.name for bone in ada.armature.data.bones}
    rename_bones(ada.armature, names)
    found = {bone.name: bone.parent and bone.parent.name for bone in ada.armature.data.bones}
    assert found == {table[bone]: parent and table[parent] for bone, parent in parents.items()}
    assert set(table.values()) <= {group.name for group in ada.mesh.vertex_groups}
    curves = ada.mesh.data.shape_keys.animation_data.drivers
    targets = [curve.driver.variables[0].targets[0].bone_target for curve in curves]
    assert {*targets} == {table["neck"], table["jaw"]}
    blender.bpy.context.view_layer.update()
    assert abs(blender.world(ada.mesh) - wanted).max() < 1e-6


def test_bones_of_the_artist_keep_their_names(blender, ada):
    blender.bpy.context.view_layer.objects.active = ada.armature
    blender.bpy.ops.object.mode_set(mode="EDIT")
    bone = ada.armature.data.edit_bones.new("hat")
    bone.tail = (0.0, 0.0, 1.0)
    blender.bpy.ops.object.mode_set(mode="OBJECT")
    rename_bones(ada.armature, "VRM")
    assert {bone.name for bone in ada.armature.data.bones} == {*BONES["VRM"].values(), "hat"}


def test_animated_keys_are_those_of_drivers_and_actions(moving):
    driven = {f"Pose{number}" for number in range(1, 19)}
    assert animated_keys(moving.mesh) == driven | {"jawOpen", "Hair02"}
