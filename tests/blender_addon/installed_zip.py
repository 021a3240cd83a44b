# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by test_installed_zip.py in a Blender of its own: installs the zip and uses it.

Does not know pytest. Arguments: the zip, a folder. What it found goes to stdout as JSON.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import bpy

addon_utils = import_module("addon_utils")  # known only once bpy is there
MODULE = "bl_ext.user_default.rome"
found = {}


def install(path: str) -> None:
    """Install and enable the zip through Blender's extension system."""
    addon_utils.enable("bl_pkg", default_set=True)
    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath=path, enable_on_install=True
    )
    found["enabled"] = MODULE in bpy.context.preferences.addons
    found["folder"] = str(Path(sys.modules[MODULE].__file__).parent)
    found["strangers"] = [name for name in sys.modules if name.split(".")[0] == "rome_backend"]


def set_up_without_the_internet() -> None:
    """Press the button while Blender may not use the internet."""
    bpy.context.preferences.system.use_online_access = False
    try:
        bpy.ops.rome.backend_set_up()
    except RuntimeError as error:
        found["offline"] = str(error)


def set_up() -> None:
    """Press the buttons, with a stand-in for Python first in the PATH."""
    folder = import_module(f"{MODULE}.folders").user_folder()
    status = import_module(f"{MODULE}.set_up_status")
    found["user_folder"] = str(folder)
    bpy.context.preferences.system.use_online_access = True
    bpy.context.preferences.addons[MODULE].preferences.torch_index = " https://example.org/cpu "
    states = [status.environment_state(folder).name]
    for button in ("set_up", "check", "repair", "remove"):
        result = getattr(bpy.ops.rome, f"backend_{button}")()
        states.append(f"{button} {sorted(result)[0]} {status.environment_state(folder).name}")
    found["states"] = states
    os.environ["FAKE_VENV"] = "no room for snakes"
    try:
        bpy.ops.rome.backend_set_up()
    except RuntimeError as error:
        found["failure"] = str(error)
    found["reports"] = [status.STATUS.error().code, status.STATUS.error().hint]


def disable() -> None:
    """Disable the add-on and look what is left."""
    addon_utils.disable(MODULE, default_set=True)
    found["left"] = [
        cls.__name__
        for base in (bpy.types.Operator, bpy.types.Panel, bpy.types.AddonPreferences)
        for cls in base.__subclasses__()
        if cls.__module__.startswith(MODULE) and getattr(cls, "is_registered", False)
    ]
    found["disabled"] = MODULE not in bpy.context.preferences.addons


try:
    install(sys.argv[1])
    set_up_without_the_internet()
    set_up()
    disable()
finally:
    addon_utils.disable("bl_pkg")
    sys.stdout.write("FOUND " + json.dumps(found) + "\n")
    sys.stdout.flush()
