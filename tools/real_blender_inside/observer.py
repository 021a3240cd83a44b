# SPDX-License-Identifier: Apache-2.0
"""Runs inside the watched Blender: opens the sidebar's tab and writes down what the file holds.

Does not click. ROME_WATCH names the JSON file it writes four times a second; ROME_ASK the one
that says which of ORDERS to do next: settings that are not what the walk tests; ROME_TAB the
sidebar tab; ROME_FRAMES the folder that animations are written to.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import bpy
import mathutils

EVERY = 0.25
WATCH = Path(os.environ["ROME_WATCH"])
ASK = Path(os.environ["ROME_ASK"])
FRAMES = os.environ.get("ROME_FRAMES", "/tmp/rome-frames")
TAB = os.environ.get("ROME_TAB", "ROME")
OWN_BRUSH = "Walk"
BRUSH = "brushes/essentials_brushes-mesh_texture.blend/Brush/Paint Hard"
rendered: list[str] = []
draws: list[float] = []
asked: list[str] = []
notes: list[None] = []


def viewport() -> bpy.types.Area:
    """Return the area of the first window's 3D viewport."""
    window = bpy.context.window_manager.windows[0]
    return next(area for area in window.screen.areas if area.type == "VIEW_3D")


def look_at_the_head() -> bool:
    """Leave the camera's view for one from the front, a little from above."""
    view = viewport().spaces.active.region_3d
    head = next(bpy.data.objects[name] for name in heads())
    view.view_perspective = "PERSP"
    view.view_location = head.matrix_world @ (sum_of(head.bound_box) / 8)
    view.view_distance = 0.75
    view.view_rotation = mathutils.Euler((math.radians(82), 0.0, math.radians(20))).to_quaternion()
    return True


def sum_of(corners: Iterable[Iterable[float]]) -> mathutils.Vector:
    """Return the sum of points."""
    return sum((mathutils.Vector(corner) for corner in corners), mathutils.Vector())


def look_through_the_camera() -> bool:
    """Take the view of the scene's camera, which the photo's view has chosen."""
    viewport().spaces.active.region_3d.view_perspective = "CAMERA"
    return True


def look_from_afar() -> bool:
    """Make the view orthographic."""
    viewport().spaces.active.region_3d.view_perspective = "ORTHO"
    return True


def five_frames() -> bool:
    """Let an animation have five frames, in the folder for them."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 5
    scene.render.filepath = f"{FRAMES}/"
    return True


def lose_the_backend() -> bool:
    """Choose a Python for the backend that does not exist, and turn the view a little."""
    return _choose_python("/nowhere/python") and _turn(2.0)


def find_the_backend() -> bool:
    """Take that back, and turn the view again."""
    return _choose_python("") and _turn(-2.0)


def _choose_python(path: str) -> bool:
    addons = bpy.context.preferences.addons
    settings = next(addon.preferences for name, addon in addons.items() if name.endswith(".rome"))
    settings.python_path = path
    return True


def _turn(degrees: float) -> bool:
    view = viewport().spaces.active.region_3d
    turn = mathutils.Quaternion((0.0, 0.0, 1.0), math.radians(degrees))
    view.view_rotation = turn @ view.view_rotation
    return True


def ready_to_paint() -> bool:
    """Let the head have a texture of 4096 px, packed, and a brush for it.

    Blender finds its own brushes only some time after it is asked for the first one.
    """
    head = next(bpy.data.objects[name] for name in heads())
    albedo = head["romelink_albedo"]
    if albedo.size[0] < 4096:
        albedo.scale(4096, 4096)
        albedo.pack()
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.context.view_layer.objects.active = head
        if head.mode != "TEXTURE_PAINT":
            bpy.ops.object.mode_set(mode="TEXTURE_PAINT")
        ready = bpy.context.tool_settings.image_paint.brush is not None or _take_brush()
    draws.clear()
    return ready


def _take_brush() -> bool:
    """Take Blender's own brush, or where a package comes without them, one of this file."""
    if OWN_BRUSH not in bpy.data.brushes:
        bpy.data.brushes.new(OWN_BRUSH, mode="TEXTURE_PAINT").asset_mark()
    for library, brush in (("ESSENTIALS", BRUSH), ("LOCAL", f"Brush/{OWN_BRUSH}")):
        with contextlib.suppress(RuntimeError):
            bpy.ops.brush.asset_activate(
                asset_library_type=library, relative_asset_identifier=brush
            )
            break
    return bpy.context.tool_settings.image_paint.brush is not None


def done_painting() -> bool:
    """Leave the paint mode."""
    bpy.ops.object.mode_set(mode="OBJECT")
    return True


def asset_browser() -> bool:
    """Turn the 3D viewport into an Asset Browser of this file; it takes a drawing in between."""
    areas = bpy.context.window_manager.windows[0].screen.areas
    area = next((area for area in areas if area.ui_type == "ASSETS"), None) or viewport()
    area.ui_type = "ASSETS"
    settings = area.spaces.active.params
    if settings is not None:
        settings.asset_library_reference = "LOCAL"
    return settings is not None


# Each returns whether it is done; if not, it is called again.
ORDERS: dict[str, Callable[[], bool]] = {
    "look at the head": look_at_the_head,
    "look through the camera": look_through_the_camera,
    "orthographic": look_from_afar,
    "five frames": five_frames,
    "ready to paint": ready_to_paint,
    "done painting": done_painting,
    "asset browser": asset_browser,
    "lose the backend": lose_the_backend,
    "find the backend": find_the_backend,
}


def obey() -> None:
    """Do what is asked for, until it is done."""
    try:
        order = json.loads(ASK.read_text("utf-8"))
    except FileNotFoundError:
        return
    if order["number"] > len(asked) and ORDERS[order["name"]]():
        asked.append(order["name"])
        for area in bpy.context.window_manager.windows[0].screen.areas:
            area.tag_redraw()


def open_tab() -> bool:
    """Show the 3D viewport's sidebar on the tab; return whether it took."""
    area = viewport()
    area.spaces.active.show_region_ui = True
    region = next(region for region in area.regions if region.type == "UI")
    try:
        region.active_panel_category = TAB
    except (AttributeError, TypeError):  # there are no tabs before the region's first drawing
        return False
    return True


def regions() -> dict[str, list[int]]:
    """Return the box (x, y from the top, width, height) px of the viewport and its sidebar."""
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    boxes = {}
    for region in (region for area in areas for region in area.regions):
        if region.type in ("UI", "WINDOW"):
            top = window.height - region.y - region.height
            boxes[region.type] = [region.x, top, region.width, region.height]
    return boxes


def heads() -> dict[str, dict[str, float]]:
    """Return the shape keys that are not zero of every object that is a ROME head."""
    found = {}
    for thing in bpy.data.objects:
        keys = getattr(thing.data, "shape_keys", None)
        if keys is not None and any(name.startswith("rome_") for name, _ in thing.items()):
            values = {key.name: key.value for key in keys.key_blocks}
            found[thing.name] = {name: value for name, value in values.items() if value}
    return found


def note() -> float:
    """Write the state; return when to come again."""
    obey()
    notes.append(None)
    spaces = [area.spaces.active for area in bpy.context.window_manager.windows[0].screen.areas]
    state = {
        "heads": heads(),
        "actions": [action.name for action in bpy.data.actions],
        "renders": len(rendered),
        "engine": bpy.context.scene.render.engine,
        "windows": len(bpy.context.window_manager.windows),
        "operators": [operator.bl_idname for operator in bpy.context.window_manager.operators],
        "regions": regions(),
        "shading": next((space.shading.type for space in spaces if space.type == "VIEW_3D"), ""),
        "assets": [each.name for each in bpy.data.collections if each.asset_data],
        "draws": draws,
        "asked": len(asked),
        "notes": len(notes),
    }
    new = WATCH.with_suffix(".new")
    new.write_text(json.dumps(state), "utf-8")
    os.replace(new, WATCH)
    return EVERY


def note_render(scene: bpy.types.Scene, *_unused: object) -> None:
    """Take note that a render ended; Blender calls it from the render's thread."""
    rendered.append(scene.name)


def time_drawing() -> None:
    """Take the time of every drawing of a viewport by the add-on's engine, in s."""
    engines = bpy.types.RenderEngine.__subclasses__()
    engine = next(each for each in engines if getattr(each, "bl_idname", "") == "ROME")
    draw = engine.view_draw

    def timed(self: bpy.types.RenderEngine, context: bpy.types.Context, graph: object) -> None:
        start = time.perf_counter()
        draw(self, context, graph)
        draws.append(round(time.perf_counter() - start, 5))

    engine.view_draw = timed


def start() -> float | None:
    """Open the tab, then begin to note; without such a tab try again and again."""
    if not open_tab():
        return EVERY
    time_drawing()
    bpy.app.handlers.render_complete.append(note_render)
    bpy.app.timers.register(note, first_interval=EVERY, persistent=True)
    return None


if __name__ == "__main__":
    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(start, first_interval=2.0, persistent=True)
