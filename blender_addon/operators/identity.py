# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator that moves the bones to where the identity sliders want them.

Does not know what a slider does to a joint.
"""

from __future__ import annotations

import bpy

from ..head.find import active_head, is_editable, skeleton
from ..rig.refit import bones_fit, refit_bones, wanted_joints
from .job import nothing_is_edited


class ROME_OT_refit_bones(bpy.types.Operator):
    """Move the bones of the active head to its identity sliders."""

    bl_idname = "rome.refit_bones"
    bl_label = "Refit Bones"
    bl_description = "Move jaw, neck and eye bones to where the identity sliders want them"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The bones can be moved and do not stand right yet; the tooltip says what is missing."""
        problem = refit_problem(active_head(context), context)
        if problem:
            cls.poll_message_set(problem)
        return not problem and nothing_is_edited(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move them; selection, active object and pose mode stay."""
        head = active_head(context)
        assert head is not None
        active, selected = context.view_layer.objects.active, list(context.selected_objects)
        mode = context.mode
        refit_bones(head)
        for thing in context.selected_objects:
            thing.select_set(False)
        for thing in selected:
            thing.select_set(True)
        context.view_layer.objects.active = active
        if mode == "POSE":
            bpy.ops.object.mode_set(mode=mode)
        return {"FINISHED"}


def refit_problem(head: bpy.types.Object | None, context: bpy.types.Context) -> str:
    """Return why a head's bones cannot be refitted now, or ""."""
    rig = skeleton(head) if head is not None else None
    if head is None:
        return "Select a head first"
    if rig is None:
        return "The head has no armature"
    if not (is_editable(head) and rig.data.library is None):
        return "The head is linked from another file"
    if wanted_joints(head) is None:
        return "This head was made before there were identity sliders: press Re-run"
    if rig.name not in context.view_layer.objects or not rig.visible_get():
        return "Show the armature first"
    return "The bones fit the sliders already" if bones_fit(head) else ""


CLASSES = (ROME_OT_refit_bones,)
