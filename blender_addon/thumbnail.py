# SPDX-License-Identifier: GPL-3.0-or-later
"""The small picture of the first photo in the panel, with the chosen face framed.

Does not know how faces are found.
"""

from __future__ import annotations

import bpy
import bpy.utils.previews

from .photos import CHOICE, framed
from .properties import face_listeners, settings_of

NAME = "photo"
_previews: list[bpy.utils.previews.ImagePreviewCollection] = []


def show_picture(context: bpy.types.Context | None) -> None:
    """Make the picture of the choice the one that the panel shows; None or no picture: none."""
    if not _previews:
        return
    shown = _previews[0]
    shown.clear()
    picture = framed(CHOICE, settings_of(context).face) if context is not None else None
    if picture is not None:
        preview = shown.new(NAME)
        preview.image_size = (picture.shape[1], picture.shape[0])
        preview.image_pixels_float.foreach_set(picture.ravel())


def picture_icon() -> int:
    """Return the picture's icon, 0 where there is none."""
    shown = _previews[0].get(NAME) if _previews else None
    return shown.icon_id if shown is not None else 0


def redraw_panels(context: bpy.types.Context) -> None:
    """Draw the sidebars of all 3D viewports again."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def register() -> None:
    """Make room for the picture."""
    _previews.append(bpy.utils.previews.new())
    face_listeners.append(show_picture)


def unregister() -> None:
    """Free the picture."""
    face_listeners.remove(show_picture)
    while _previews:
        bpy.utils.previews.remove(_previews.pop())
