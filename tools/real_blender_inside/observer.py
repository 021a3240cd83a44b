# SPDX-License-Identifier: Apache-2.0
"""Runs inside the watched Blender: opens the sidebar's tab and writes down what the file holds.

Does not click or change anything else. ROME_WATCH names the JSON file it writes four times a
second; ROME_TAB the sidebar tab.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import bpy

EVERY = 0.25
WATCH = Path(os.environ["ROME_WATCH"])
TAB = os.environ.get("ROME_TAB", "ROME")
rendered: list[str] = []


def open_tab() -> bool:
    """Show the 3D viewport's sidebar on the tab; return whether it took."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
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
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    boxes = {}
    for region in area.regions:
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
    state = {
        "heads": heads(),
        "actions": [action.name for action in bpy.data.actions],
        "renders": len(rendered),
        "engine": bpy.context.scene.render.engine,
        "windows": len(bpy.context.window_manager.windows),
        "operators": [operator.bl_idname for operator in bpy.context.window_manager.operators],
        "regions": regions(),
    }
    new = WATCH.with_suffix(".new")
    new.write_text(json.dumps(state), "utf-8")
    os.replace(new, WATCH)
    return EVERY


def note_render(scene: bpy.types.Scene, *_unused: object) -> None:
    """Take note that a render ended; Blender calls it from the render's thread."""
    rendered.append(scene.name)


def start() -> float | None:
    """Open the tab, then begin to note; without such a tab try again and again."""
    if not open_tab():
        return EVERY
    bpy.app.handlers.render_complete.append(note_render)
    bpy.app.timers.register(note, first_interval=EVERY, persistent=True)
    return None


if __name__ == "__main__":
    bpy.context.preferences.view.show_splash = False
    bpy.app.timers.register(start, first_interval=2.0, persistent=True)
