# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying and dismissing the report of what went wrong.

Does not know what can go wrong.
"""

from __future__ import annotations

import bpy

from ..backend.client import shared
from ..jobs import STATE
from ..photos import CHOICE
from ..report import report_text


class ROME_OT_copy_report(bpy.types.Operator):
    """Copy the report to the clipboard."""

    bl_idname = "rome.copy_report"
    bl_label = "Copy Report"
    bl_description = "Copy a report of the problem; it holds no photo and no path"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Something went wrong."""
        if STATE.report is None:
            cls.poll_message_set("Nothing went wrong")
        return STATE.report is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the text on the clipboard."""
        assert STATE.report is not None
        text = report_text(STATE.report, facts_of_this_system(), CHOICE.paths)
        context.window_manager.clipboard = text
        self.report({"INFO"}, "The report is on the clipboard")
        return {"FINISHED"}


def facts_of_this_system() -> dict[str, str]:
    """Return the versions that matter: Blender's, and the running backend's if there is one."""
    facts = {"Blender": bpy.app.version_string}
    welcome = shared().welcome
    if welcome is not None:
        facts["Backend"] = f"{welcome.version} (protocol {welcome.protocol})"
        facts["Python"] = welcome.python
        facts["Device"] = welcome.device
        facts["Networks"] = welcome.weights or "none"
    return facts


class ROME_OT_dismiss_report(bpy.types.Operator):
    """Take the report out of the panel."""

    bl_idname = "rome.dismiss_report"
    bl_label = "Dismiss"
    bl_description = "Take the message out of the panel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a report."""
        if STATE.report is None:
            cls.poll_message_set("Nothing went wrong")
        return STATE.report is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget the report."""
        STATE.report = None
        return {"FINISHED"}


CLASSES = (ROME_OT_copy_report, ROME_OT_dismiss_report)
