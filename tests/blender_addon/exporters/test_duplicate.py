# SPDX-License-Identifier: GPL-3.0-or-later
"""Around an export the artist's scene stays exactly as it was, whatever happens inside."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from blender_addon.exporters.bones import rename_bones
from blender_addon.exporters.duplicate import duplicated

MODES = ("OBJECT", "EDIT", "SCULPT", "POSE")


@pytest.fixture
def state(blender):
    """A function that says everything an export must leave alone."""

    def snapshot():
        data, context = blender.bpy.data, blender.bpy.context
        lists = [name for name in dir(data) if hasattr(getattr(data, name), "foreach_get")]
        active = context.view_layer.objects.active
        return {
            "data": {name: sorted(block.name for block in getattr(data, name)) for name in lists},
            "users": {thing.name: thing.users for thing in data.objects},
            "places": {thing.name: str(thing.matrix_world) for thing in data.objects},
            "selected": sorted(thing.name for thing in context.selected_objects),
            "active": (active.name, active.mode) if active else None,
            "scene": (context.scene.name, context.scene.frame_current, context.view_layer.name),
            "curves": sorted(_paths(data)),
        }

    return snapshot


def _paths(data):
    from blender_addon.exporters.head_export import _curves

    return [curve.data_path for action in data.actions for curve in _curves(action)]


def test_the_copy_looks_the_same_under_the_same_names(blender, moving):
    names = (moving.mesh.name, moving.mesh.data.name, moving.armature.name)
    wanted = blender.world(moving.mesh)
    with duplicated(blender.bpy.context, moving.mesh) as copy:
        assert blender.bpy.context.scene == copy.scene
        assert set(copy.scene.objects) == {copy.mesh, copy.armature}
        assert (copy.mesh.name, copy.mesh.data.name, copy.armature.name) == names
        assert np.abs(blender.world(copy.mesh) - wanted).max() < 1e-6


def test_the_copy_moves_by_itself(blender, moving):
    """Its drivers and modifiers follow its own bones, its animation is its own."""
    with duplicated(blender.bpy.context, moving.mesh) as copy:
        before = blender.world(copy.mesh)
        moving.armature.pose.bones["jaw"].rotation_quaternion = (0.0, 1.0, 0.0, 0.0)
        blender.bpy.context.view_layer.update()
        assert np.abs(blender.world(copy.mesh) - before).max() < 1e-6
        copy.scene.frame_set(5)
        wanted = blender.world(copy.mesh)
        assert copy.armature.animation_data.action != moving.armature.animation_data.action
    assert np.abs(blender.at(5, moving.mesh) - wanted).max() < 1e-6


@pytest.mark.parametrize("mode", MODES)
def test_nothing_changes_for_the_artist(blender, moving, state, mode):
    active = moving.armature if mode == "POSE" else moving.mesh
    layer = blender.bpy.context.view_layer
    moving.camera.select_set(True)
    active.select_set(True)
    layer.objects.active = active
    blender.bpy.ops.object.mode_set(mode=mode)
    before = state()
    assert before["active"] == (active.name, mode)
    with duplicated(blender.bpy.context, moving.mesh) as copy:
        rename_bones(copy.armature, "VRM")
        copy.scene.frame_set(5)
        copy.mesh.data.vertices[0].co = (9.0, 9.0, 9.0)
    assert state() == before


def test_nothing_changes_when_it_fails(blender, moving, state):
    before = state()
    with pytest.raises(ValueError), duplicated(blender.bpy.context, moving.mesh):
        raise ValueError
    assert state() == before


def test_what_is_being_edited_is_exported(blender, ada):
    blender.bpy.ops.object.mode_set(mode="EDIT")
    import bmesh

    edited = bmesh.from_edit_mesh(ada.mesh.data)
    edited.verts.ensure_lookup_table()
    place = edited.verts[7].co.copy()
    edited.verts[7].co.x += 0.05
    with duplicated(blender.bpy.context, ada.mesh) as copy:
        moved = [key.data[7].co.x for key in copy.mesh.data.shape_keys.key_blocks]
        assert max(moved) > place.x + 0.04


def test_hidden_parented_and_several_heads(blender, rig, ada):
    """A hidden head on a moved body is copied where it stands, and only that one."""
    from blender_addon.rig.build import build_head

    build_head(rig)
    body = blender.bpy.data.objects.new("Body", None)
    blender.bpy.context.collection.objects.link(body)
    body.location = (0.0, 0.0, 3.0)
    ada.armature.parent = body
    ada.mesh.hide_viewport = True
    blender.bpy.context.view_layer.update()
    wanted = np.array(ada.armature.matrix_world)
    assert wanted[2, 3] > 3.0
    with duplicated(blender.bpy.context, ada.mesh) as copy:
        assert len(copy.scene.objects) == 2 and not copy.mesh.hide_viewport
        assert np.allclose(np.array(copy.armature.matrix_world), wanted, atol=1e-6)


def test_a_linked_head_can_be_exported(blender, ada, tmp_path, measure):
    distance, _ = measure
    bpy = blender.bpy
    wanted = blender.world(ada.mesh)
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (_, target):
        target.collections = ["Ada"]
    bpy.context.scene.collection.children.link(target.collections[0])
    head = bpy.data.objects["Ada"]
    assert head.library is not None
    bpy.context.view_layer.objects.active = head
    found = blender.read(blender.export("glb", tmp_path))
    assert found.name == "Ada"
    assert distance(blender.world(found), wanted) < 1e-4
