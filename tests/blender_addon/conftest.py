# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic rigs and an empty Blender for the add-on's tests.

Does not know the exporters that are not under test here. With ROME_ADDON_DIR the tests run on
that copy of the add-on, for example on the unpacked zip, with the core inside it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _use_the_copy(folder: Path) -> None:
    """Make ``import blender_addon`` mean the package in the folder, whatever its name is."""
    place = {"submodule_search_locations": [str(folder)]}
    spec = spec_from_file_location("blender_addon", folder / "__init__.py", **place)
    module = module_from_spec(spec)
    sys.modules["blender_addon"] = module
    spec.loader.exec_module(module)


if "ROME_ADDON_DIR" in os.environ:
    _use_the_copy(Path(os.environ["ROME_ADDON_DIR"]))


def _synthetic_module():
    path = ROOT / "tests" / "rome_backend" / "export" / "synthetic_head.py"
    spec = spec_from_file_location("rome_synthetic_head", path)
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _rig(synthetic):
    from rome_backend.export.rig_arrays import rig_arrays

    return rig_arrays(synthetic.head, synthetic.basis, synthetic.avatar)


@pytest.fixture(scope="session")
def addon_dir():
    """The folder of the add-on under test: ROME_ADDON_DIR, or the checkout's."""
    return Path(os.environ.get("ROME_ADDON_DIR", ROOT / "blender_addon"))


@pytest.fixture(scope="session")
def backend_python():
    """An interpreter with the backend's packages: ROME_BACKEND_PYTHON, or this one."""
    return os.environ.get("ROME_BACKEND_PYTHON", sys.executable)


@pytest.fixture(scope="session")
def synthetic():
    """A small head model with basis and avatar (190 vertices)."""
    return _synthetic_module().synthetic_head()


@pytest.fixture(scope="session")
def rig(synthetic):
    """The small head's rig arrays."""
    return _rig(synthetic)


@pytest.fixture(scope="session")
def full_size():
    """A synthetic head with FLAME's 3,931 + 2 x 546 vertices."""
    return _synthetic_module().synthetic_head(skin=3931, eye=546, seed=2)


@pytest.fixture(scope="session")
def full_size_rig(full_size):
    """The full-size head's rig arrays."""
    return _rig(full_size)


@pytest.fixture
def empty_blender():
    """The bpy module with an empty file; tests that need it skip where bpy is absent."""
    bpy = pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy


def _curves(action):
    if hasattr(action, "layers"):  # since Blender 4.4; 5.0 has no Action.fcurves any more
        strips = [strip for layer in action.layers for strip in layer.strips]
        return [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]
    return list(action.fcurves)


@pytest.fixture
def curves_of():
    """A function that returns an action's F-curves in any Blender."""
    return _curves


@pytest.fixture
def built(empty_blender, rig):
    """The small head, built in an empty file."""
    from blender_addon.rig.build import build_head

    return build_head(rig)


@pytest.fixture
def enabled(empty_blender):
    """The bpy module with an empty file and the add-on registered; nothing is left after it."""
    import blender_addon

    blender_addon.register()
    yield empty_blender
    blender_addon.unregister()


@pytest.fixture
def backend(enabled, rig):
    """A backend without a process (fake_backend.py) that makes the small head of every photo."""
    from blender_addon.jobs import STATE
    from blender_addon.operators.photos import stop_looking
    from blender_addon.pump import PUMP

    spec = spec_from_file_location("rome_fake_backend", Path(__file__).with_name("fake_backend.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    fake = module.FakeBackend(rig)
    connect, PUMP.connect = PUMP.connect, lambda: fake
    STATE.end()
    yield fake
    stop_looking()
    PUMP.connect = connect
