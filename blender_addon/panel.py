# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar panel "ROME": photo, Create Head, progress and what went wrong.

Does not know what the buttons do; the sections below it stand in panel_head and panel_output.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import bpy

from .head.find import active_head
from .jobs import STATE
from .photos import CHOICE
from .properties import makes_neural_texture, reason_against, settings_of
from .thumbnail import picture_icon

CATEGORY = "ROME"
# Smaller once there is a head, whose sliders then need the room.
PICTURE_SCALE, PICTURE_SCALE_BESIDE_HEAD = 6.0, 3.0
OPTIONS = (
    "texture_size", "delight", "focal_length", "face", "seed", "head_model", "tracker", "networks"
)  # fmt: skip
LETTERS_PER_PIXEL = 1.0 / 7.5


class RomePanel:
    """Mixin: where every panel of ours stands."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = CATEGORY


class ROME_PT_main(RomePanel, bpy.types.Panel):
    """From photo to head."""

    bl_idname = "ROME_PT_main"
    bl_label = "ROME"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw photos, the button, progress and messages."""
        column = self.layout.column()
        _draw_photos(column, context)
        # One place for both: what stands below must not jump when a job begins or ends.
        row = column.row(align=True)
        row.scale_y = 1.6
        if STATE.label:
            row.progress(factor=STATE.fraction, text=STATE.line())
            row.operator("rome.cancel", text="", icon="CANCEL")
        else:
            row.operator("rome.create_head", icon="OUTLINER_OB_ARMATURE")
        if STATE.report is not None:
            _draw_report(column, context)
        for note in STATE.notes:
            draw_text(column, note, context, icon="INFO")


def _draw_photos(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    icon = picture_icon()
    made = active_head(context) is not None
    scale = PICTURE_SCALE_BESIDE_HEAD if made else PICTURE_SCALE
    if icon:
        column.template_icon(icon_value=icon, scale=scale)
    elif CHOICE.paths and not CHOICE.problem:
        # As tall as the picture: what stands below must not jump when it comes.
        row = column.row()
        row.alignment, row.scale_y = "CENTER", scale
        row.label(text="Looking for the face")
    for index, path in enumerate(CHOICE.paths):
        row = column.row(align=True)
        row.label(text=Path(path).name, icon="IMAGE_DATA")
        row.operator("rome.remove_photo", text="", icon="X").index = index
    row = column.row(align=True)
    row.operator("rome.add_photos", text="Choose Photos", icon="FILE_IMAGE")
    if CHOICE.paths:
        row.operator("rome.add_photos", text="", icon="ADD").replace = False
    if CHOICE.problem:
        draw_text(column, CHOICE.problem, context, icon="ERROR")
    if CHOICE.faces is not None and len(CHOICE.faces) > 1:
        column.prop(settings_of(context), "face")


def _draw_report(column: bpy.types.UILayout, context: bpy.types.Context) -> None:
    assert STATE.report is not None
    box = column.box()
    draw_text(box, STATE.report.message, context, icon="ERROR")
    if STATE.report.hint:
        draw_text(box, STATE.report.hint, context)
    row = box.row()
    row.operator("rome.copy_report", icon="COPYDOWN")
    row.operator("rome.dismiss_report", text="", icon="X")


def draw_text(
    layout: bpy.types.UILayout, text: str, context: bpy.types.Context, icon: str = "BLANK1"
) -> None:
    """Draw a sentence over as many lines as the sidebar's width needs."""
    width = context.region.width if context.region is not None else 300
    scale = context.preferences.system.ui_scale or 1.0  # 0 where there is no window
    letters = max(16, int((width / scale - 50) * LETTERS_PER_PIXEL))
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")


class ROME_PT_options(RomePanel, bpy.types.Panel):
    """How the next head is made."""

    bl_idname = "ROME_PT_options"
    bl_label = "Options"
    bl_parent_id = "ROME_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings."""
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        settings = settings_of(context)
        for name in OPTIONS:
            column.prop(settings, name)
        neural = column.column()
        neural.enabled = makes_neural_texture(settings)
        neural.prop(settings, "neural_size")
        neural.prop(settings, "face_tightness")
        if reason_against(settings):
            draw_text(self.layout, reason_against(settings), context, icon="ERROR")
        self.layout.operator("rome.choose_avatar", icon="IMPORT")


CLASSES = (ROME_PT_main, ROME_PT_options)
