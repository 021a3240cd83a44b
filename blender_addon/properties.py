# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sets in the panel: how heads are made.

Does not know photos: their paths stand in photos.py, so that no .blend ever holds one.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

SIZES = (
    ("512", "512", "Small file, for heads in the distance"),
    ("1024", "1024", "Enough for most photos"),
    ("2048", "2048", "For large, sharp photos"),
    ("4096", "4096", "For very large photos; takes several times as long"),
)


TRACKERS = (
    ("auto", "Automatic", "DECA on FLAME where it was imported, else the built-in tracker"),
    ("open", "Built In", "The tracker that comes with the backend"),
    ("deca", "DECA", "DECA's face regressor; needs its imported file and FLAME"),
)
NETWORKS = (
    ("auto", "Automatic", "ROME's networks on FLAME where they were imported, else none"),
    ("open", "None", "Hair and neck from the photo's silhouette"),
    ("official", "ROME", "ROME's own networks: a neural texture and offsets; needs FLAME"),
    ("linear", "Linear", "ROME's linear model of offsets; needs FLAME"),
)
NEURAL_SIZES = (
    ("256", "256", "As the networks were released"),
    ("512", "512", "More detail, though the networks were not trained for it"),
)
FLAME_ONLY = "DECA and ROME's networks need the head model auto or flame"


class ROME_PG_settings(bpy.types.PropertyGroup):
    """How the next head is made, and what the panel shows."""

    face: int  # added by register()

    texture_size: EnumProperty(  # type: ignore[valid-type]
        name="Texture",
        description="Side of the head's texture in pixels",
        items=SIZES,
        default="1024",
    )
    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed",
        description="The same photo and seed make the same head",
        min=0,
    )
    head_model: StringProperty(  # type: ignore[valid-type]
        name="Head Model",
        description="The head model: auto, open, flame where it was imported, or a file of one",
        default="auto",
    )
    tracker: EnumProperty(  # type: ignore[valid-type]
        name="Tracker",
        description="What finds the face's shape and expression in the photo",
        items=TRACKERS,
    )
    networks: EnumProperty(  # type: ignore[valid-type]
        name="Networks",
        description="What makes hair, neck and a neural texture of the photo",
        items=NETWORKS,
    )
    neural_size: EnumProperty(  # type: ignore[valid-type]
        name="Neural Texture",
        description="Side of the neural texture in pixels",
        items=NEURAL_SIZES,
    )
    face_tightness: FloatProperty(  # type: ignore[valid-type]
        name="Face Tightness",
        description="How far ROME's networks may move face and eyes; 0 is not at all",
        min=0.0,
        max=1.0,
        precision=4,
    )
    delight: BoolProperty(  # type: ignore[valid-type]
        name="Remove Light",
        description="Take the photo's light and shadows out of the texture, made or baked again",
    )
    focal_length: FloatProperty(  # type: ignore[valid-type]
        name="Focal Length",
        description="Of the photo's lens in mm of 35 mm film (a portrait lens has 85); "
        "0 is what the photo's file says, or what is usual",
        min=0.0,
        max=1000.0,
        soft_max=200.0,
        precision=0,
    )
    symmetric: BoolProperty(  # type: ignore[valid-type]
        name="Both Sides",
        description="One slider moves the left and the right side alike",
        default=True,
    )
    all_offsets: BoolProperty(  # type: ignore[valid-type]
        name="Show All",
        description="Show every hair and neck slider instead of the ten strongest",
    )


CLASSES = (ROME_PG_settings,)
face_listeners: list[Callable[[bpy.types.Context], None]] = []


def _face_changed(settings: ROME_PG_settings, context: bpy.types.Context) -> None:
    for listener in face_listeners:
        listener(context)


def register() -> None:
    """Give every window manager the settings.

    The one with a callback joins the class afterwards and leaves it before it is unregistered:
    Blender 4.2 as a module crashes at exit over callbacks that unregistering a class leaves.
    """
    ROME_PG_settings.face = IntProperty(  # type: ignore[assignment]
        name="Face",
        description="Which face of the photo to take by size, 0 being the largest",
        min=0,
        max=99,
        update=_face_changed,
    )
    bpy.types.WindowManager.rome = PointerProperty(type=ROME_PG_settings)


def unregister() -> None:
    """Take the settings back."""
    del bpy.types.WindowManager.rome
    del ROME_PG_settings.face


def settings_of(context: bpy.types.Context) -> ROME_PG_settings:
    """Return the panel's settings."""
    return context.window_manager.rome  # type: ignore[attr-defined]


def reason_against(settings: ROME_PG_settings) -> str:
    """Return why no head can be made with the settings, "" where one may be."""
    wants_flame = settings.tracker == "deca" or settings.networks in ("official", "linear")
    return FLAME_ONLY if wants_flame and settings.head_model == "open" else ""


def makes_neural_texture(settings: ROME_PG_settings) -> bool:
    """Return whether the settings about neural textures can matter."""
    return settings.networks in ("auto", "official") and settings.head_model != "open"
