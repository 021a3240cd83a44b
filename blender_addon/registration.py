# SPDX-License-Identifier: GPL-3.0-or-later
"""The one list of what the add-on registers, undone in exact reverse.

Does not know what the modules do. A module of the list may have ``CLASSES`` (a tuple of bpy
types), ``register()`` and ``unregister()``: its classes come first, its own function after them.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from importlib import import_module
from types import ModuleType

import bpy

MODULES: tuple[str, ...] = (
    "preferences",
    "connection",
    "operators.backend",
    "properties",
    "head_properties",
    "thumbnail",
    "operators.photos",
    "operators.create_avatar",
    "operators.avatar_file",
    "operators.texture",
    "operators.asset",
    "operators.pose_tools",
    "operators.identity",
    "operators.report_tools",
    "operators.photo_view",
    "operators.export",
    "engine.renderer",
    "engine.viewport",
    "engine.engine",
    "engine.panels",
    "panel",
    "panel_head",
    "panel_output",
)

_registered = ExitStack()


def register_all() -> None:
    """Register every module of MODULES; what fails takes back what was registered before it."""
    unregister_all()
    register_modules(import_module(f".{name}", __package__) for name in MODULES)


def unregister_all() -> None:
    """Take back what is registered, last first; does nothing when nothing is."""
    _registered.close()


def register_modules(modules: Iterable[ModuleType]) -> None:
    """Register the modules in order on top of what is registered.

    An exception of any of them unwinds this call's registrations in reverse and goes on.
    """
    with ExitStack() as undo:
        for module in modules:
            for cls in getattr(module, "CLASSES", ()):
                bpy.utils.register_class(cls)
                undo.callback(bpy.utils.unregister_class, cls)
            _run_register(module, undo)
        _registered.push(undo.pop_all())


def _run_register(module: ModuleType, undo: ExitStack) -> None:
    register = getattr(module, "register", None)
    unregister = getattr(module, "unregister", None)
    if (register is None) != (unregister is None):
        raise TypeError(f"{module.__name__} needs both register() and unregister(), or neither")
    if register is not None and unregister is not None:
        register()
        undo.callback(unregister)
