# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's panels: its own few settings, and Blender's that fit any engine.

Does not know how anything is drawn.
"""

from __future__ import annotations

import bpy

from ..panel import draw_text
from .engine import ENGINE
from .renderer import networks_may_draw, renderer_line

EVERY_ENGINE = "BLENDER_RENDER"  # what Blender's panels call themselves when any engine fits

VIEW_SETTINGS = {"view_transform": "Standard", "look": "None", "exposure": 0.0, "gamma": 1.0}
RENDER_SETTINGS = {"dither_intensity": 0.0, "film_transparent": True}
LAYER_SETTINGS = {"use_pass_z": True, "use_pass_uv": True, "use_pass_normal": True}


def colours_are_exact(scene: bpy.types.Scene) -> bool:
    """Return whether the scene's view shows the texture's colours unchanged."""
    view = scene.view_settings
    return (
        all(getattr(view, name) == value for name, value in VIEW_SETTINGS.items())
        and not view.use_curve_mapping
        and scene.render.dither_intensity == 0.0
    )


class ROME_OT_use_render_engine(bpy.types.Operator):
    """Render this scene with ROME: its engine, exact colours, and all passes for compositing"""

    bl_idname = "rome.use_render_engine"
    bl_label = "Render With ROME"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the recipe of docs/rendering.md."""
        scene = context.scene
        scene.render.engine = ENGINE
        _set(scene.view_settings, VIEW_SETTINGS)
        scene.view_settings.use_curve_mapping = False
        _set(scene.render, RENDER_SETTINGS)
        _set(context.view_layer, LAYER_SETTINGS)
        return {"FINISHED"}


def _set(target: bpy.types.bpy_struct, settings: dict[str, object]) -> None:
    for name, value in settings.items():
        setattr(target, name, value)


def draw_renderer(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the choice of what draws the heads, and what does."""
    scene = context.scene
    layout.prop(scene.rome, "renderer")
    if networks_may_draw(scene):
        layout.prop(scene.rome, "picture_side")
    line = renderer_line(scene)
    if line:
        draw_text(layout, line, context, icon="INFO")


class ROME_PT_render_colours(bpy.types.Panel):
    """Whether the picture will have the texture's colours."""

    bl_label = "ROME"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"
    COMPAT_ENGINES = {ENGINE}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Show it for our engine only."""
        return context.engine in cls.COMPAT_ENGINES

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        column = self.layout.column()
        column.label(text="Draws ROME heads only, on a transparent ground.")
        draw_renderer(column, context)
        if colours_are_exact(context.scene):
            column.label(text="Colours are those of the renderer.", icon="CHECKMARK")
        else:
            column.label(text="Color Management changes the colours.", icon="INFO")
            column.operator(ROME_OT_use_render_engine.bl_idname, text="Use Exact Colours")


class ROME_PT_layer_passes(bpy.types.Panel):
    """The passes of a view layer."""

    bl_label = "Passes"
    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "view_layer"
    COMPAT_ENGINES = {ENGINE}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Show it for our engine only."""
        return context.engine in cls.COMPAT_ENGINES

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        column = self.layout.column(heading="Data", align=False)
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(context.view_layer, "use_pass_z", text="Depth")
        column.prop(context.view_layer, "use_pass_uv", text="UV")
        column.prop(context.view_layer, "use_pass_normal", text="Normal")


def _panels_of_every_engine() -> list[type]:
    return [
        panel
        for panel in bpy.types.Panel.__subclasses__()
        if EVERY_ENGINE in getattr(panel, "COMPAT_ENGINES", ())
    ]


_opened: list[type] = []


def register() -> None:
    """Let Blender's panels for any engine show for ours: output, post processing, ..."""
    for panel in _panels_of_every_engine():
        if ENGINE not in panel.COMPAT_ENGINES:
            panel.COMPAT_ENGINES.add(ENGINE)
            _opened.append(panel)


def unregister() -> None:
    """Take that back."""
    while _opened:
        _opened.pop().COMPAT_ENGINES.discard(ENGINE)


CLASSES = (ROME_OT_use_render_engine, ROME_PT_render_colours, ROME_PT_layer_passes)
