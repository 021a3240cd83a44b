# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's sections about the active head: identity, hair, expression, pose, texture.

Does not know what the buttons do.
"""

from __future__ import annotations

import bpy

from .core_access import identity_label
from .head.controls import expression_keys, identity_keys, offset_keys
from .head.expressions import PAIRS, SIDES, grouped, readable, stem_of
from .head.find import active_head, heads_of, skeleton
from .head.stored_avatar import has_avatar
from .head_properties import POSES
from .panel import RomePanel, draw_text
from .properties import settings_of
from .rig.links import linked_part
from .rig.properties import read_property

FIRST_OFFSETS = 10
POSE_GROUPS = (("Neck", "neck_"), ("Jaw", "jaw_"), ("Eyes", "eyes_"))
FACTS = (("Head model", "head_model"), ("Made with", "version"))


class HeadPanel(RomePanel):
    """Mixin: a section that is there while a head is meant."""

    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head is meant."""
        return active_head(context) is not None


class ROME_PT_identity(HeadPanel, bpy.types.Panel):
    """Whose head it is: sliders of the face, licences, and making it again."""

    bl_idname = "ROME_PT_identity"
    bl_label = "Identity"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw name, facts, licences, what can be done with the whole head, and sliders."""
        head = active_head(context)
        assert head is not None
        column = self.layout.column()
        column.prop(head, "name", text="")
        for label, name in FACTS:
            column.label(text=f"{label}: {read_property(head, name, 'unknown')}")
        for part, licence in read_property(head, "licences", {}).items():
            draw_text(column, f"{part.capitalize()}: {licence}", context)
        if len(heads_of(context.scene)) > 1:
            column.label(text=f"{len(heads_of(context.scene))} heads in this scene", icon="INFO")
        if not has_avatar(head):
            draw_text(column, "This head carries no avatar.", context, icon="ERROR")
        column.operator("rome.update_head", icon="FILE_REFRESH")
        column.operator("rome.save_avatar", icon="EXPORT")
        column.operator("rome.mark_asset", icon="ASSET_MANAGER")
        _draw_identity(self.layout, head)


def _draw_identity(layout: bpy.types.UILayout, head: bpy.types.Object) -> None:
    names = identity_keys(head)
    if not names:
        return
    blocks = head.data.shape_keys.key_blocks
    header, body = layout.panel("rome_identity_sliders", default_closed=False)
    header.label(text="Face")
    if body is None:
        return
    row = body.row(align=True)
    row.operator("rome.refit_bones", icon="BONE_DATA")
    row.operator("rome.reset", text="As Fitted").part = "IDENTITY"
    column = body.column(align=True)
    for name in names:
        column.prop(blocks[name], "value", text=identity_label(name), slider=True)


class ROME_PT_offsets(HeadPanel, bpy.types.Panel):
    """Sliders of hair and neck."""

    bl_idname = "ROME_PT_offsets"
    bl_label = "Hair & Neck"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the strongest ten sliders of hair and three of the neck, or all."""
        head = active_head(context)
        assert head is not None
        settings = settings_of(context)
        blocks = head.data.shape_keys.key_blocks
        names = offset_keys(head)
        column = self.layout.column(align=True)
        for name in names:
            if settings.all_offsets or int(name[-2:]) <= _shown(name):
                column.prop(blocks[name], "value", text=name, slider=True)
        column.prop(settings, "all_offsets", toggle=True)
        row = self.layout.row(align=True)
        row.operator("rome.reset", text="Back to the Photo").part = "OFFSETS"


def _shown(name: str) -> int:
    return FIRST_OFFSETS if name.startswith("Hair") else FIRST_OFFSETS // 3


class ROME_PT_expression(HeadPanel, bpy.types.Panel):
    """Sliders of the expression by ARKit groups."""

    bl_idname = "ROME_PT_expression"
    bl_label = "Expression"
    bl_options = set()

    def draw(self, context: bpy.types.Context) -> None:
        """Draw presets, tools and one closed group of sliders per part of the face."""
        head = active_head(context)
        assert head is not None
        settings = settings_of(context)
        column = self.layout.column(align=True)
        column.operator_menu_enum("rome.apply_preset", "preset", text="Presets")
        row = column.row(align=True)
        row.operator("rome.randomize")
        row.operator_menu_enum("rome.mirror", "way", text="Mirror")
        row.operator("rome.reset").part = "EXPRESSION"
        column.operator("rome.key_all", icon="KEYINGSET")
        column.prop(settings, "symmetric", toggle=True)
        for group, names in grouped(expression_keys(head)).items():
            header, body = self.layout.panel(f"rome_{group}", default_closed=True)
            header.label(text=group)
            if body is not None:
                _draw_sliders(body.column(align=True), head, names, settings.symmetric)


def _draw_sliders(
    column: bpy.types.UILayout, head: bpy.types.Object, names: list[str], symmetric: bool
) -> None:
    blocks = head.data.shape_keys.key_blocks
    for name in names:
        stem = stem_of(name)
        if symmetric and stem in PAIRS and stem != name:
            if name.endswith(SIDES[0]):
                column.prop(head.rome, stem, slider=True)
        else:
            column.prop(blocks[name], "value", text=readable(name), slider=True)


class ROME_PT_pose(HeadPanel, bpy.types.Panel):
    """Angles of neck, jaw and eyes."""

    bl_idname = "ROME_PT_pose"
    bl_label = "Pose"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the angles by part, and reset."""
        head = active_head(context)
        assert head is not None
        for label, prefix in POSE_GROUPS:
            column = self.layout.column(align=True)
            column.label(text=label)
            for name in POSES:
                if name.startswith(prefix):
                    column.prop(head.rome, name, slider=True)
        rig = skeleton(head)
        if rig is not None:
            self.layout.prop(rig, "show_in_front", text="Bones in Front")
        row = self.layout.row(align=True)
        row.operator("rome.reset").part = "POSE"
        row.operator("rome.key_all", icon="KEYINGSET")


class ROME_PT_texture(HeadPanel, bpy.types.Panel):
    """The head's texture."""

    bl_idname = "ROME_PT_texture"
    bl_label = "Texture"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what the texture can show, and baking it again."""
        head = active_head(context)
        assert head is not None
        settings = settings_of(context)
        column = self.layout.column()
        column.prop(head.rome, "show_confidence")
        column.prop(settings, "texture_size")
        column.prop(settings, "delight")
        column.operator("rome.rebake", icon="FILE_REFRESH")
        if linked_part(head, "normal_map") or linked_part(head, "roughness_map"):
            column.label(text="Normal and roughness maps are estimates", icon="INFO")


CLASSES = (
    ROME_PT_identity,
    ROME_PT_offsets,
    ROME_PT_expression,
    ROME_PT_pose,
    ROME_PT_texture,
)
