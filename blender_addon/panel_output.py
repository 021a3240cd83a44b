# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's sections about what leaves Blender: rendering and export.

Does not know how anything is rendered or written; buttons whose operators are not there are not
drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .engine.engine import ENGINE
from .engine.panels import draw_renderer
from .panel_head import HeadPanel

RENDER = (
    ("rome.use_render_engine", "SHADING_RENDERED"),
    ("rome.use_photo_view", "OUTLINER_OB_CAMERA"),
)
EXPORT_PREFIX = "export_"


def is_there(operator: str) -> bool:
    """Whether an operator such as 'rome.rebake' is registered."""
    module, _, name = operator.partition(".")
    return hasattr(bpy.types, f"{module.upper()}_OT_{name}")


def exporters() -> list[str]:
    """Return the names of the registered export operators."""
    found = (name for name in dir(bpy.ops.rome) if name.startswith(EXPORT_PREFIX))
    return [f"rome.{name}" for name in sorted(found)]


def _draw_buttons(column: bpy.types.UILayout, operators: Iterable[tuple[str, str]]) -> None:
    for operator, icon in operators:
        if is_there(operator):
            column.operator(operator, icon=icon)


class ROME_PT_render(HeadPanel, bpy.types.Panel):
    """How to render the head."""

    bl_idname = "ROME_PT_render"
    bl_label = "Render"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the engine and the view transform that it needs."""
        column = self.layout.column()
        column.prop(context.scene.render, "engine")
        if context.scene.render.engine == ENGINE:
            draw_renderer(column, context)
        column.prop(context.scene.view_settings, "view_transform")
        _draw_buttons(column, RENDER)
        if context.scene.camera is None:
            column.label(text="The scene has no camera", icon="INFO")
        column.operator("render.render", icon="RENDER_STILL")


class ROME_PT_export(HeadPanel, bpy.types.Panel):
    """Taking the head to other programs."""

    bl_idname = "ROME_PT_export"
    bl_label = "Export"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A head is meant and there is something to export it with."""
        return bool(exporters()) and super().poll(context)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw one button per way."""
        column = self.layout.column()
        _draw_buttons(column, ((operator, "EXPORT") for operator in exporters()))


CLASSES = (ROME_PT_render, ROME_PT_export)
