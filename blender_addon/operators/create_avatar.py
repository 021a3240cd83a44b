# SPDX-License-Identifier: GPL-3.0-or-later
"""Create Head: the chosen photos become a head in the scene.

Does not know how the backend makes it.
"""

from __future__ import annotations

import bpy

from ..jobs import STATE
from ..photos import CHOICE
from ..properties import reason_against, settings_of
from ..pump import Request
from .head_jobs import NewHeadJob, ask_for_avatar
from .job import nothing_is_edited, refuse_when_busy


class ROME_OT_create_head(NewHeadJob, bpy.types.Operator):
    """Make a head of the chosen photos; scripts choose them with rome.add_photos."""

    bl_idname = "rome.create_head"
    bl_label = "Create Head"
    bl_description = "Make a rigged, textured head of the chosen photos of one person"
    bl_options = {"UNDO"}
    label = "Creating the head"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A photo is chosen, settings fit each other, no job runs and nothing is being edited."""
        if not CHOICE.paths:
            cls.poll_message_set("Choose a photo first")
            return False
        reason = reason_against(settings_of(context))
        if reason:
            cls.poll_message_set(reason)
            return False
        return nothing_is_edited(cls, context) and refuse_when_busy(cls)

    def ask(self, context: bpy.types.Context) -> Request:
        """Ask for an avatar of the photos."""
        return ask_for_avatar(context, tuple(CHOICE.paths))


class ROME_OT_cancel(bpy.types.Operator):
    """Give up the running job."""

    bl_idname = "rome.cancel"
    bl_label = "Cancel"
    bl_description = "Stop the running job and leave the scene as it was"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A job runs."""
        if not STATE.label:
            cls.poll_message_set("No job is running")
        return bool(STATE.label)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Tell the modal operator, which gives up at its next tick."""
        STATE.cancelling = True
        return {"FINISHED"}


CLASSES = (ROME_OT_create_head, ROME_OT_cancel)
