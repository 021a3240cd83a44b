# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing photos: the file browser, images dropped onto a viewport, and the face in the first.

Does not know how heads are made. Looking for the face happens while nobody waits; the answer is
taken by a timer that ends itself.
"""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, IntProperty, StringProperty

from ..core_access import DetectFaces, RomeError
from ..photos import CHOICE, ENDINGS, MOST
from ..pump import PUMP, Request
from ..thumbnail import redraw_panels, show_picture

LOOK_EVERY = 0.1
_looking: list[Request] = []


def look_for_faces() -> None:
    """Ask the backend for the faces of the first photo; the answer comes by take_faces."""
    stop_looking()
    if not CHOICE.paths:
        show_picture(None)
        return
    path = CHOICE.paths[0]
    try:
        _looking.append(PUMP.ask(DetectFaces(0, path)))
    except RomeError as error:
        CHOICE.problem = error.message
        return
    if not bpy.app.background and not bpy.app.timers.is_registered(take_faces):
        bpy.app.timers.register(take_faces, first_interval=LOOK_EVERY)


def stop_looking() -> None:
    """Give up looking for faces."""
    while _looking:
        PUMP.cancel(_looking.pop())
    if bpy.app.timers.is_registered(take_faces):
        bpy.app.timers.unregister(take_faces)


def take_faces() -> float | None:
    """Take the faces if they have come; return when to look again, or None."""
    if not _looking:
        return None
    try:
        found = PUMP.look(_looking[-1])
        if found is None:
            return LOOK_EVERY
        CHOICE.faces, CHOICE.picture = found.boxes, found.thumbnail
        CHOICE.size = (found.width, found.height)
        CHOICE.problem = "" if len(found.boxes) else "No face was found in the first photo."
    except RomeError as error:
        CHOICE.problem = error.message
    _looking.clear()
    show_picture(bpy.context)
    redraw_panels(bpy.context)
    return None


class ROME_OT_add_photos(bpy.types.Operator):
    """Choose photos in the file browser, by dropping them, or from a script."""

    bl_idname = "rome.add_photos"
    bl_label = "Photos for ROME"  # understood in the menu of a drop, and short enough for a button
    bl_description = "Choose one or several photos of the same person"
    bl_options = {"INTERNAL"}

    filepath: StringProperty(  # type: ignore[valid-type]
        name="Photo",
        description="The photo to add",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    directory: StringProperty(  # type: ignore[valid-type]
        name="Folder",
        description="The folder of the photos",
        subtype="DIR_PATH",
        options={"SKIP_SAVE", "HIDDEN"},
    )
    files: CollectionProperty(  # type: ignore[valid-type]
        name="Photos",
        description="File names of the photos in the folder",
        type=bpy.types.OperatorFileListElement,
        options={"SKIP_SAVE", "HIDDEN"},
    )
    filter_glob: StringProperty(  # type: ignore[valid-type]
        name="Filter",
        description="Endings of photos",
        default=";".join(f"*{ending}" for ending in ENDINGS),
        options={"HIDDEN"},
    )
    replace: BoolProperty(  # type: ignore[valid-type]
        name="Replace",
        description="Forget the photos chosen before",
        default=True,
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Open the file browser, or take what was dropped."""
        if self.directory and self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the photos and look for the face in the first."""
        names = [file.name for file in self.files if file.name]
        paths = [str(Path(self.directory) / name) for name in names] or [self.filepath]
        paths = [bpy.path.abspath(path) for path in paths if path]
        missing = [path for path in paths if not Path(path).is_file()]
        if missing or not paths:
            self.report({"ERROR"}, "That file does not exist. Choose a photo.")
            return {"CANCELLED"}
        if self.replace:
            CHOICE.clear()
        if not CHOICE.add(paths):
            self.report({"ERROR"}, f"No photo was added. Choose up to {MOST} JPEG or PNG files.")
            return {"CANCELLED"}
        if CHOICE.picture is None:
            look_for_faces()
        redraw_panels(context)
        return {"FINISHED"}


class ROME_OT_remove_photo(bpy.types.Operator):
    """Take one photo out of the choice."""

    bl_idname = "rome.remove_photo"
    bl_label = "Remove Photo"
    bl_description = "Take this photo out of the choice; the file stays"
    bl_options = {"INTERNAL"}

    index: IntProperty(  # type: ignore[valid-type]
        name="Index", description="Which of the chosen photos", min=0, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a photo."""
        if not CHOICE.paths:
            cls.poll_message_set("No photo is chosen")
        return bool(CHOICE.paths)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it, and look at the new first photo if the first one went."""
        if self.index >= len(CHOICE.paths):
            return {"CANCELLED"}
        CHOICE.remove(self.index)
        if CHOICE.picture is None:
            look_for_faces()
        redraw_panels(context)
        return {"FINISHED"}


class ROME_FH_photos(bpy.types.FileHandler):
    """Photos dropped onto a 3D viewport are chosen for the next head."""

    bl_idname = "ROME_FH_photos"
    bl_label = "Photos for a ROME Head"
    bl_import_operator = "rome.add_photos"
    bl_file_extensions = ";".join(ENDINGS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Take them on 3D viewports only."""
        return context.area is not None and context.area.type == "VIEW_3D"


CLASSES = (ROME_OT_add_photos, ROME_OT_remove_photo, ROME_FH_photos)


def register() -> None:
    """Nothing is looked for until a photo is chosen."""


def unregister() -> None:
    """End the timer: Blender crashes at exit if one is left."""
    stop_looking()
    CHOICE.clear()
