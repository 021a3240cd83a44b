# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering the add-on adds its classes; unregistering leaves nothing behind.

Does not know what the registered modules do.
"""

from __future__ import annotations

import inspect
import sys
from types import SimpleNamespace

import pytest

BASES = (
    "AddonPreferences", "AssetShelf", "FileHandler", "Gizmo", "GizmoGroup", "Header",
    "KeyingSetInfo", "Macro", "Menu", "NodeTree", "Operator", "Panel", "PropertyGroup",
    "RenderEngine", "UIList",
)  # fmt: skip
OWNERS = (
    "Scene", "Object", "Mesh", "Armature", "Key", "ShapeKey", "Image", "Material", "Camera",
    "Collection", "WindowManager", "World", "PoseBone", "Bone", "Action", "ViewLayer",
)  # fmt: skip


@pytest.fixture
def registration(empty_blender):
    """The module under test; whatever a test leaves registered is taken back at its end."""
    from blender_addon import registration as module

    yield module
    module.unregister_all()


def _classes(bpy):
    found = set()
    todo = [getattr(bpy.types, name) for name in BASES if hasattr(bpy.types, name)]
    while todo:
        cls = todo.pop()
        todo.extend(cls.__subclasses__())
        if getattr(cls, "is_registered", False):
            found.add(cls.__qualname__)
    return found


def _state(bpy):
    """Everything an add-on can leave behind that Blender lets us see."""
    handlers = {
        name: list(map(repr, entries))
        for name, entries in inspect.getmembers(bpy.app.handlers)
        if isinstance(entries, list)
    }
    properties = {
        owner: set(getattr(bpy.types, owner).bl_rna.properties.keys()) for owner in OWNERS
    }
    menus = {
        name: len(draw._draw_funcs)
        for name in dir(bpy.types)
        if (draw := getattr(getattr(bpy.types, name), "draw", None)) is not None
        and hasattr(draw, "_draw_funcs")
    }
    return {
        "classes": _classes(bpy),
        "operators": set(dir(bpy.ops.rome)),
        "handlers": handlers,
        "properties": properties,
        "menus": {name: count for name, count in menus.items() if count > 1},
    }


def _running_timers(bpy):
    modules = [module for name, module in sys.modules.items() if name.startswith("blender_addon")]
    functions = [each for module in modules for each in vars(module).values() if callable(each)]
    return [each for each in functions if bpy.app.timers.is_registered(each)]


def test_unregister_leaves_nothing(empty_blender, registration):
    import blender_addon

    before = _state(empty_blender)
    blender_addon.register()
    assert "ROME_AddonPreferences" in _classes(empty_blender)
    blender_addon.unregister()
    assert _state(empty_blender) == before
    assert _running_timers(empty_blender) == []


def test_every_class_of_the_list_is_registered(empty_blender, registration):
    from importlib import import_module

    registration.register_all()
    for name in registration.MODULES:
        module = import_module(f"blender_addon.{name}")
        for cls in getattr(module, "CLASSES", ()):
            assert cls.is_registered, cls
            assert cls.__name__.startswith("ROME_"), cls


def test_registering_twice_registers_once(empty_blender, registration):
    registration.register_all()
    once = _state(empty_blender)
    registration.register_all()
    assert _state(empty_blender) == once
    registration.unregister_all()
    registration.unregister_all()


def test_importing_changes_nothing(empty_blender):
    from importlib import import_module

    from blender_addon.registration import MODULES

    before = _state(empty_blender)
    for name in MODULES:
        import_module(f"blender_addon.{name}")
    assert _state(empty_blender) == before


def _operator(bpy, name):
    contents = {"bl_idname": f"rome.{name}", "bl_label": name, "execute": lambda self, context: {}}
    return type(f"ROME_OT_{name}", (bpy.types.Operator,), contents)


def _module(name, calls, classes=(), error=None):
    def register():
        calls.append(f"+{name}")
        if error:
            raise error

    def unregister():
        calls.append(f"-{name}")

    return SimpleNamespace(__name__=name, CLASSES=classes, register=register, unregister=unregister)


def test_what_fails_takes_back_what_came_before(empty_blender, registration):
    before = _state(empty_blender)
    calls = []
    first, second = (_operator(empty_blender, name) for name in ("first", "second"))
    modules = [
        _module("a", calls, (first,)),
        _module("b", calls),
        _module("c", calls, (second,), error=RuntimeError("no")),
        _module("d", calls),
    ]
    with pytest.raises(RuntimeError, match="no"):
        registration.register_modules(modules)
    assert calls == ["+a", "+b", "+c", "-b", "-a"]
    assert _state(empty_blender) == before


def test_modules_are_undone_in_reverse(empty_blender, registration):
    calls = []
    registration.register_modules([_module("a", calls), _module("b", calls)])
    registration.register_modules([_module("c", calls)])
    registration.unregister_all()
    assert calls == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_a_failing_unregister_does_not_keep_the_rest(empty_blender, registration):
    calls = []
    broken = SimpleNamespace(__name__="broken", register=lambda: None, unregister=lambda: 1 / 0)
    registration.register_modules([_module("a", calls), broken, _module("b", calls)])
    with pytest.raises(ZeroDivisionError):
        registration.unregister_all()
    assert calls == ["+a", "+b", "-b", "-a"]


def test_a_module_that_cannot_be_undone_is_refused(empty_blender, registration):
    half = SimpleNamespace(__name__="half", register=lambda: None)
    with pytest.raises(TypeError, match="half"):
        registration.register_modules([half])
