# SPDX-License-Identifier: GPL-3.0-or-later
"""What draws a scene's heads: the choice in its render properties, and what drew them last.

Does not know how anything is drawn or asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from bpy.props import EnumProperty, PointerProperty

from ..core_access import PICTURE_SIDES, FrameReady
from ..head.find import heads_of
from ..head.stored_avatar import neural_weights

AUTO, TEXTURED, ROME = "AUTO", "TEXTURED", "ROME"
ITEMS = (
    (
        AUTO,
        "Automatic",
        "The ROME networks where a head has a neural texture for them",
    ),
    (TEXTURED, "Textured Mesh", "The head's own texture, with its exact colours"),
    (ROME, "ROME Networks", "The networks alone; a head that they cannot draw is an error"),
)
NAMES = {item[0].lower(): item[1] for item in ITEMS}
SIDES = tuple(
    (str(side), f"{side} px", f"The networks draw each head in {side} x {side} px")
    for side in PICTURE_SIDES
)
NO_NEURAL = "No head here has a neural texture"


class ROME_PG_render(bpy.types.PropertyGroup):
    """What draws the heads of a scene."""

    renderer: EnumProperty(  # type: ignore[valid-type]
        name="Renderer",
        description="What draws the heads: their texture, or networks that were trained to",
        items=ITEMS,
        default=AUTO,
    )
    picture_side: EnumProperty(  # type: ignore[valid-type]
        name="Size",
        description="How large the networks draw a head; they were trained at 256",
        items=SIDES,
        default=SIDES[0][0],
    )


@dataclass(frozen=True)
class Look:
    """What is to draw a frame's heads: renderer of core's RENDERERS, and the networks' size, px."""

    renderer: str = "textured"
    picture_side: int = PICTURE_SIDES[0]


def look_of(scene: bpy.types.Scene) -> Look:
    """Return what is to draw a scene's heads."""
    settings = scene.rome
    return Look(settings.renderer.lower(), int(settings.picture_side))


class _Told:
    """What drew the last frame, in words; "" before the first."""

    line = ""


def tell(frame: FrameReady) -> None:
    """Remember what drew a frame."""
    if not frame.drawn_by:
        return
    names = " and ".join(NAMES[name] for name in dict.fromkeys(frame.drawn_by))
    _Told.line = f"Drawn by: {names}" + (f" ({frame.note.rstrip('.')})" if frame.note else "")


def networks_may_draw(scene: bpy.types.Scene) -> bool:
    """Return whether networks are chosen, or left to choose and a head has a texture for them."""
    if scene.rome.renderer == AUTO:
        return any(neural_weights(head) for head in heads_of(scene))
    return scene.rome.renderer != TEXTURED


def renderer_line(scene: bpy.types.Scene) -> str:
    """Return what draws the scene's heads, as far as it is known, for its panel."""
    if scene.rome.renderer == TEXTURED:
        return ""
    if not any(neural_weights(head) for head in heads_of(scene)):
        shown = "" if scene.rome.renderer == ROME else ": drawn as textured mesh"
        return NO_NEURAL + shown
    return _Told.line


CLASSES = (ROME_PG_render,)


def register() -> None:
    """Give every scene the choice; it is saved with the file."""
    bpy.types.Scene.rome = PointerProperty(type=ROME_PG_render)


def unregister() -> None:
    """Take the choice back."""
    del bpy.types.Scene.rome
    _Told.line = ""
