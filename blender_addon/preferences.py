# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: which Python the backend runs in, on what, and how it is set up.

Does not know how the backend is installed or started.
"""

from __future__ import annotations

import sys
import textwrap

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .backend import models
from .backend.client import shared
from .backend.environment import State
from .folders import user_folder
from .set_up_status import STATUS, environment_state, made_of, size_before

ICONS = {State.READY: "CHECKMARK", State.ABSENT: "INFO"}
OFFLINE = "Set Up needs the internet: see System > Network > Allow Online Access"
LETTERS = 90  # in a line of the window's usual width
DEVICES = (
    ("auto", "Automatic", "The graphics card where PyTorch can use it, else the processor"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA", "An NVIDIA graphics card; the backend's PyTorch must be built for it"),
)
LOG_LEVELS = (
    ("warning", "Problems", "Log only what goes wrong"),
    ("info", "Normal", "Log what is done"),
    ("debug", "Everything", "Log details for a report"),
)
MODELS = {True: "Model files: there", False: "Model files: missing", None: "Model files: unknown"}


class ROME_AddonPreferences(bpy.types.AddonPreferences):
    """What a person sets once for all files."""

    bl_idname = __package__ or "blender_addon"

    python_path: StringProperty(  # type: ignore[valid-type]
        name="Use This Python",
        description="A Python 3.11 that already has the packages the backend needs. "
        "Empty: the private environment that Set Up makes",
        subtype="FILE_PATH",
    )
    with_cuda: BoolProperty(  # type: ignore[valid-type]
        name="PyTorch with CUDA",
        description="For an NVIDIA graphics card: Set Up takes PyTorch's build with CUDA, which "
        "is several times larger. Off: the build for the processor",
    )
    torch_index: StringProperty(  # type: ignore[valid-type]
        name="PyTorch Index",
        description="Address of the index of PyTorch's CPU builds for Linux, as PyTorch's Get "
        "Started page shows it for Linux, Pip and CPU. Empty: Set Up finds it out",
    )

    device: EnumProperty(  # type: ignore[valid-type]
        name="Device",
        description="What draws frames and runs networks. A change counts from the next request",
        items=DEVICES,
    )
    log_level: EnumProperty(  # type: ignore[valid-type]
        name="Log",
        description="How much the backend writes to its log. A change counts from the next request",
        items=LOG_LEVELS,
        default="info",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the backend's state, the buttons and the settings."""
        state = environment_state(user_folder())
        _draw_backend(self.layout.box(), state, bool(self.python_path), self.with_cuda)
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(self, "python_path")
        column.prop(self, "device")
        column.prop(self, "log_level")
        if sys.platform == "linux":
            column.prop(self, "with_cuda")
            if not self.with_cuda:
                column.prop(self, "torch_index")


def _draw_backend(
    box: bpy.types.UILayout, state: State, own_python: bool, with_cuda: bool
) -> None:
    column = box.column()
    if own_python:
        text = f"Python {STATUS.python} has the packages" if STATUS.python else "Your own Python"
        column.label(text=f"Backend: {text}", icon="CHECKMARK" if STATUS.python else "INFO")
    else:
        column.label(text=f"Backend: {state.value}", icon=ICONS.get(state, "ERROR"))
    if STATUS.is_running:
        _draw_progress(column)
    else:
        _draw_buttons(column, state, own_python)
    made = made_of(user_folder())
    column.label(text=f"Private environment: {made or size_before(with_cuda)}", icon="DISK_DRIVE")
    if not (bpy.app.online_access or made):
        column.label(text=OFFLINE, icon="INTERNET_OFFLINE")
    _draw_models(column)
    welcome = shared().welcome
    if welcome is not None:
        networks = f"weights {welcome.weights}" if welcome.weights else "not installed"
        column.label(text=f"ROME's own networks: {networks}", icon="NODETREE")
    _draw_error(column)
    row = column.row(align=True)
    row.operator("rome.backend_open_log", text="Set-up Log", icon="TEXT").log = "set_up.log"
    row.operator("rome.backend_open_log", text="Backend Log", icon="TEXT").log = "backend.log"


def _draw_progress(column: bpy.types.UILayout) -> None:
    assert STATUS.task is not None
    row = column.row(align=True)
    row.progress(factor=STATUS.task.fraction, text=STATUS.line())
    row.operator("rome.backend_cancel", text="", icon="CANCEL")


def _draw_buttons(column: bpy.types.UILayout, state: State, own_python: bool) -> None:
    row = column.row(align=True)
    if state is State.ABSENT:
        row.operator("rome.backend_set_up", icon="IMPORT")
    else:
        row.operator("rome.backend_repair", icon="FILE_REFRESH")
        row.operator("rome.backend_remove", icon="TRASH")
    if own_python or state is State.READY:
        row.operator("rome.backend_check", icon="VIEWZOOM")


def _draw_models(column: bpy.types.UILayout) -> None:
    row = column.row()
    row.label(text=MODELS[STATUS.models], icon="FILE_3D")
    if STATUS.models is False:
        row.operator("rome.backend_fetch_models", text=f"Fetch ({models.SIZE})")


def _draw_error(column: bpy.types.UILayout) -> None:
    error = STATUS.error()
    if error is not None and error.code != "cancelled":
        lines = textwrap.wrap(error.message, LETTERS) + textwrap.wrap(error.hint, LETTERS)
        for number, line in enumerate(lines):
            column.label(text=line, icon="BLANK1" if number else "ERROR")


def preferences_of(context: bpy.types.Context) -> ROME_AddonPreferences:
    """Return the add-on's preferences.

    Raises LookupError where the add-on is not enabled, as when its package is used alone.
    """
    addon = context.preferences.addons.get(ROME_AddonPreferences.bl_idname)
    if addon is None or addon.preferences is None:
        raise LookupError("the add-on is not enabled")
    return addon.preferences


CLASSES = (ROME_AddonPreferences,)
