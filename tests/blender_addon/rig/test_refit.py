# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones that follow the identity sliders: where they land, and what that leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon.rig.names import key_group
from blender_addon.rig.read import armature_of, evaluated_vertices
from blender_addon.rig.refit import bones_fit, refit_bones, wanted_joints
from blender_addon.rig.write import apply_params

VALUES = {"Shape1": 2.0, "Shape2": -1.5, "Shape5": 0.75}


def _move(mesh):
    for name, value in VALUES.items():
        mesh.data.shape_keys.key_blocks[name].value = value


@pytest.fixture
def other_rig(synthetic, rig):
    """The rig of the person whom the moved sliders show."""
    from rome_backend.export.rig_arrays import rig_arrays

    shape = synthetic.avatar.params.shape.copy()
    for name, value in VALUES.items():
        shape[int(name[5:]) - 1] += value
    params = replace(synthetic.avatar.params, shape=shape)
    return rig_arrays(synthetic.head, synthetic.basis, replace(synthetic.avatar, params=params))


def test_identity_keys_are_a_group_of_their_own(rig):
    groups = {key.name: key_group(key.name) for key in rig.keys}
    assert [name for name, group in groups.items() if group == "Identity"] == [
        f"Shape{number}" for number in range(1, 7)
    ]
    assert key_group("IdentityJawWidth") == key_group("IdentityNeckWidth") == "Identity"


def test_a_new_head_fits(built, rig):
    assert bones_fit(built.mesh)
    assert np.allclose(wanted_joints(built.mesh), rig.joints, atol=1e-6)


def test_refitted_bones_are_those_of_the_other_person(built, other_rig):
    from blender_addon.rig.build import build_head

    _move(built.mesh)
    assert not bones_fit(built.mesh)
    refit_bones(built.mesh)
    assert bones_fit(built.mesh)
    fresh = build_head(other_rig)
    origin = np.array(built.mesh["rome_origin"]) - np.array(fresh.mesh["rome_origin"])
    away = np.array([origin[0], -origin[2], origin[1]])
    for bone in fresh.armature.data.bones:
        mine = built.armature.data.bones[bone.name]
        assert np.allclose(np.array(mine.head_local) + away, bone.head_local, atol=2e-6)
        assert np.allclose(mine.matrix_local.to_3x3(), bone.matrix_local.to_3x3(), atol=1e-6)


def test_a_refitted_head_poses_as_the_other_person_does(built, other_rig):
    """The whole of it: shape, joints, weights and correctives of the drivers."""
    from blender_addon.rig.build import build_head

    pose = np.array(
        [[0.0, 0.1, 0.0], [0.2, 0.3, -0.1], [0.3, 0.0, 0.0], [0.0, 0.2, 0], [0.1, 0, 0]]
    )
    fresh = build_head(other_rig).mesh
    _move(built.mesh)
    refit_bones(built.mesh)
    for mesh in (built.mesh, fresh):
        apply_params(mesh, {"jawOpen": 0.4}, pose)
    found, wanted = evaluated_vertices(built.mesh), evaluated_vertices(fresh)
    assert np.abs(found - wanted).max() < 3e-6


def test_without_refitting_the_jaw_turns_about_the_old_joint(built, other_rig):
    """What the button is for: the test above would pass without it if joints did not matter."""
    from blender_addon.rig.build import build_head

    pose = np.zeros((5, 3))
    pose[2, 0] = 0.4
    fresh = build_head(other_rig).mesh
    _move(built.mesh)
    for mesh in (built.mesh, fresh):
        apply_params(mesh, {}, pose)
    assert np.abs(evaluated_vertices(built.mesh) - evaluated_vertices(fresh)).max() > 1e-4


def test_animation_and_bones_of_an_artist_stay(empty_blender, built):
    import bpy

    bone = built.armature.pose.bones["jaw"]
    bone.rotation_quaternion = (1.0, 0.2, 0.0, 0.0)
    bone.keyframe_insert("rotation_quaternion", frame=3)
    bpy.context.view_layer.objects.active = built.armature
    bpy.ops.object.mode_set(mode="EDIT")
    tongue = built.armature.data.edit_bones.new("tongue_tip")
    tongue.head, tongue.tail = (0.0, -0.1, 0.1), (0.0, -0.12, 0.1)
    bpy.ops.object.mode_set(mode="OBJECT")
    _move(built.mesh)
    refit_bones(built.mesh)
    assert built.armature.animation_data.action is not None
    assert np.allclose(built.armature.data.bones["tongue_tip"].head_local, (0.0, -0.1, 0.1))
    assert bones_fit(built.mesh)


def test_a_muted_slider_moves_no_bone(built, rig):
    _move(built.mesh)
    for name in VALUES:
        built.mesh.data.shape_keys.key_blocks[name].mute = True
    assert bones_fit(built.mesh)
    assert np.allclose(wanted_joints(built.mesh), rig.joints, atol=1e-6)


def test_a_head_of_an_older_version_cannot_tell_and_stays(built):
    del built.mesh["rome_identity_joints"]
    _move(built.mesh)
    before = [tuple(bone.head_local) for bone in armature_of(built.mesh).data.bones]
    assert wanted_joints(built.mesh) is None and bones_fit(built.mesh)
    refit_bones(built.mesh)
    assert [tuple(bone.head_local) for bone in armature_of(built.mesh).data.bones] == before


def test_it_works_after_saving_and_reopening(empty_blender, built, tmp_path):
    import bpy

    _move(built.mesh)
    path = str(tmp_path / "head.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    mesh = bpy.data.objects["Ada"]
    assert not bones_fit(mesh)
    refit_bones(mesh)
    assert bones_fit(mesh)
