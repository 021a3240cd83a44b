# SPDX-License-Identifier: GPL-3.0-or-later
"""Refit Bones as a button: when it is there, why not, and what one press leaves as it was."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon.operators.identity import ROME_OT_refit_bones, refit_problem
from blender_addon.rig.refit import bones_fit


@pytest.fixture
def head(enabled, rig):
    from blender_addon.rig.build import build_head

    return build_head(rig)


def _move(mesh, value=2.0):
    mesh.data.shape_keys.key_blocks["Shape1"].value = value


def test_it_moves_the_bones_and_keeps_what_is_selected(enabled, head):
    _move(head.mesh)
    head.camera.select_set(True)
    assert enabled.ops.rome.refit_bones() == {"FINISHED"}
    assert bones_fit(head.mesh)
    assert enabled.context.view_layer.objects.active == head.mesh
    assert {thing.name for thing in enabled.context.selected_objects} == {
        head.mesh.name, head.camera.name,
    }  # fmt: skip
    assert head.mesh.mode == head.armature.mode == "OBJECT"


def test_pose_mode_is_kept(enabled, head):
    _move(head.mesh)
    enabled.context.view_layer.objects.active = head.armature
    enabled.ops.object.mode_set(mode="POSE")
    enabled.ops.rome.refit_bones()
    assert head.armature.mode == "POSE" and bones_fit(head.mesh)
    enabled.ops.object.mode_set(mode="OBJECT")


def test_it_is_one_undo_step(enabled, head):
    _move(head.mesh)
    name = head.mesh.name
    enabled.ops.ed.undo_push(message="before")
    enabled.ops.rome.refit_bones()
    enabled.ops.ed.undo_push(message="Refit Bones")
    enabled.ops.ed.undo()
    assert not bones_fit(enabled.data.objects[name])
    assert {"REGISTER", "UNDO"} <= set(ROME_OT_refit_bones.bl_options)


def test_where_nothing_is_to_be_done_the_button_says_so(enabled, head):
    context = enabled.context
    assert "fit the sliders" in refit_problem(head.mesh, context)
    assert not enabled.ops.rome.refit_bones.poll()
    _move(head.mesh)
    assert refit_problem(head.mesh, context) == "" and enabled.ops.rome.refit_bones.poll()


def test_each_reason_is_a_sentence_without_a_full_stop(enabled, head):
    context = enabled.context
    _move(head.mesh)
    found = [refit_problem(None, context)]
    head.armature.hide_set(True)
    found.append(refit_problem(head.mesh, context))
    head.armature.hide_set(False)
    moves = head.mesh["rome_identity_joints"]
    del head.mesh["rome_identity_joints"]
    found.append(refit_problem(head.mesh, context))
    head.mesh["rome_identity_joints"] = moves
    head.mesh.modifiers.clear()
    found.append(refit_problem(head.mesh, context))
    assert len(set(found)) == 4
    assert all(reason and not reason.endswith(".") for reason in found)


def test_nothing_happens_while_something_is_edited(enabled, head):
    _move(head.mesh)
    enabled.ops.object.mode_set(mode="EDIT")
    assert not enabled.ops.rome.refit_bones.poll()
    enabled.ops.object.mode_set(mode="OBJECT")
    assert enabled.ops.rome.refit_bones.poll()
