# SPDX-License-Identifier: GPL-3.0-or-later
"""The avatar of a head: saving it out, loading a .rome file, and making the head again.

Does not know what an avatar's file holds.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from bpy.props import StringProperty

from ..core_access import LoadAvatar, RomeError, replacing
from ..head.find import active_head, is_editable
from ..head.stored_avatar import has_avatar, stored_avatar
from ..photos import CHOICE
from ..pump import PUMP, Request
from .head_jobs import HeadJob, NewHeadJob, ask_for_avatar
from .job import nothing_is_edited, refuse_when_busy

ENDING = ".rome"
LARGEST = 1 << 30


def head_with_avatar(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether the active head carries its avatar; the tooltip says what is missing."""
    head = active_head(context)
    if head is None:
        operator.poll_message_set("Select a head first")
    elif not has_avatar(head):
        operator.poll_message_set("This head carries no avatar")
    return head is not None and has_avatar(head)


class ROME_OT_save_avatar(bpy.types.Operator):
    """Write the avatar inside the .blend to a .rome file."""

    bl_idname = "rome.save_avatar"
    bl_label = "Save Avatar"
    bl_description = "Write the avatar inside this file to a .rome file of its own"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(  # type: ignore[valid-type]
        name="File", description="Where to write it", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Filter", description="Endings of avatars", default="*.rome", options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The active head carries an avatar."""
        return head_with_avatar(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask where to."""
        head = active_head(context)
        if head is not None and not self.filepath:
            self.filepath = bpy.path.clean_name(head.name) + ENDING
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file, whole or not at all."""
        head = active_head(context)
        if head is None or not self.filepath:
            self.report({"ERROR"}, "No file was named. Choose where to write it.")
            return {"CANCELLED"}
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ENDING))
        try:
            content = stored_avatar(head)
            with replacing(path) as file:
                file.write(content)
        except RomeError as error:
            self.report({"ERROR"}, f"{error.message} {error.hint}".strip())
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {path.name}")
        return {"FINISHED"}


class ROME_OT_load_avatar(NewHeadJob, bpy.types.Operator):
    """Make a head of a .rome file."""

    bl_idname = "rome.load_avatar"
    bl_label = "Load Avatar"
    bl_description = "Make a head of a .rome file, without its photo"
    bl_options = {"UNDO"}
    label = "Loading the avatar"

    filepath: StringProperty(  # type: ignore[valid-type]
        name="File", description="The .rome file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """No other job runs and nothing is being edited."""
        return nothing_is_edited(cls, context) and refuse_when_busy(cls)

    def ask(self, context: bpy.types.Context) -> Request:
        """Send the file's content."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            if path.stat().st_size > LARGEST:
                raise RomeError("avatar_invalid", f"{path.name} is too large for an avatar.")
            content = path.read_bytes()
        except OSError as error:
            message = f"{path.name} cannot be read: {error.strerror}."
            raise RomeError("file_unreadable", message, "Choose another file.") from error
        return PUMP.ask(LoadAvatar(0, np.frombuffer(content, np.uint8)))


class ROME_OT_choose_avatar(bpy.types.Operator):
    """Choose a .rome file; the job starts when the file browser is gone."""

    bl_idname = "rome.choose_avatar"
    bl_label = "Load Avatar"
    bl_description = "Choose a .rome file and make a head of it"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(  # type: ignore[valid-type]
        name="File", description="The .rome file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Filter", description="Endings of avatars", default="*.rome", options={"HIDDEN"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """As for loading it."""
        return nothing_is_edited(cls, context) and refuse_when_busy(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask which file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job, which does not block the window."""
        bpy.ops.rome.load_avatar("INVOKE_DEFAULT", filepath=self.filepath)
        return {"FINISHED"}


class ROME_OT_update_head(HeadJob, bpy.types.Operator):
    """Make the active head again: of the chosen photos, else of its own avatar."""

    bl_idname = "rome.update_head"
    bl_label = "Re-run"
    bl_description = (
        "Make this head again of the chosen photos, or of its avatar; your own work stays"
    )
    bl_options = {"UNDO"}
    label = "Making the head again"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head that can be changed, with photos or an avatar, and no other job."""
        head = active_head(context)
        if head is None:
            cls.poll_message_set("Select a head first")
        elif not is_editable(head):
            cls.poll_message_set("The head is linked from another file")
        elif not CHOICE.paths and not has_avatar(head):
            cls.poll_message_set("Choose a photo first: this head carries no avatar")
        else:
            return nothing_is_edited(cls, context) and refuse_when_busy(cls)
        return False

    def ask(self, context: bpy.types.Context) -> Request:
        """Ask for an avatar of the photos, or hand the stored one to the backend."""
        head = self.begin(context)
        if CHOICE.paths:
            return ask_for_avatar(context, tuple(CHOICE.paths))
        return PUMP.ask(LoadAvatar(0, np.frombuffer(stored_avatar(head), np.uint8)))


CLASSES = (ROME_OT_save_avatar, ROME_OT_load_avatar, ROME_OT_choose_avatar, ROME_OT_update_head)
