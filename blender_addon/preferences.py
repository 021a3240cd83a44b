# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which Python and device the backend uses, and how much it logs.

Does not know how the backend is installed or started.
"""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

DEVICES = (
    ("AUTO", "Automatic", "A graphics card when the backend can use one, else the processor"),
    ("CPU", "Processor", "Always the processor: slower, but works everywhere"),
    ("CUDA", "NVIDIA", "An NVIDIA graphics card; an error where the backend finds none"),
)
LOG_LEVELS = (
    ("WARNING", "Problems", "Write only what went wrong"),
    ("INFO", "Normal", "Write every job and how long it took"),
    ("DEBUG", "Everything", "Write all that helps to find a fault"),
)


class ROME_AddonPreferences(bpy.types.AddonPreferences):
    """What a person sets once for all files."""

    bl_idname = __package__ or "blender_addon"

    python_path: StringProperty(  # type: ignore[valid-type]
        name="Use This Python",
        description="A Python 3.11 that already has the backend's packages; "
        "empty: the private environment made by Set Up",
        subtype="FILE_PATH",
    )
    device: EnumProperty(  # type: ignore[valid-type]
        name="Device", description="What the backend computes on", items=DEVICES, default="AUTO"
    )
    log_level: EnumProperty(  # type: ignore[valid-type]
        name="Log", description="How much the backend writes", items=LOG_LEVELS, default="INFO"
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the settings."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "python_path")
        column.prop(self, "device")
        column.prop(self, "log_level")


def preferences_of(context: bpy.types.Context) -> ROME_AddonPreferences:
    """Return the add-on's preferences.

    Raises LookupError where the add-on is not enabled, as when its package is used alone.
    """
    addon = context.preferences.addons.get(ROME_AddonPreferences.bl_idname)
    if addon is None or addon.preferences is None:
        raise LookupError("the add-on is not enabled")
    return addon.preferences


CLASSES = (ROME_AddonPreferences,)
