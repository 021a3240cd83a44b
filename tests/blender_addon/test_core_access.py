# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on finds the core in the checkout, and its own copy in a built extension.

Does not know what the core does.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rome_backend.core.types

ALLOWED = {"bpy", "mathutils", "numpy", "addon_utils", "bpy_extras", "gpu", "gpu_extras"}


def test_in_the_checkout_it_is_the_backend_s_core(root, addon_dir):
    if addon_dir != root / "blender_addon":
        pytest.skip("this is a built add-on")
    from blender_addon import core_access

    assert core_access.RigArrays is rome_backend.core.types.RigArrays


def test_in_a_built_add_on_it_is_its_own(root, addon_dir):
    """It also shows that these tests import the copy they were asked to test."""
    if addon_dir == root / "blender_addon":
        pytest.skip("this is the checkout")
    from blender_addon import core_access

    assert core_access.RigArrays.__module__ == "blender_addon.core.types"
    assert addon_dir in Path(sys.modules["blender_addon.core.types"].__file__).parents


def test_a_copy_inside_the_add_on_comes_first(root, tmp_path):
    """Another program with its own rome_backend on the path cannot get in between."""
    addon = tmp_path / "bl_ext_rome"
    addon.mkdir()
    shutil.copy(root / "blender_addon" / "core_access.py", addon)
    (addon / "__init__.py").touch()
    (addon / "core").mkdir()
    (addon / "core" / "__init__.py").touch()
    for source in (root / "rome_backend" / "core").glob("[a-z]*.py"):
        stub = addon / "core" / source.name
        stub.write_text("def __getattr__(name):\n    return f'copied {name}'\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(root)!r}]\n"
        "from bl_ext_rome import core_access\n"
        "assert core_access.RigArrays == 'copied RigArrays', core_access.RigArrays\n"
        "assert not [m for m in sys.modules if m.startswith('rome_backend')]\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_other_module_reaches_outside_the_add_on(root):
    """Absolute imports are Blender's, numpy or the standard library, but for core_access."""
    strangers = {}
    for path in sorted((root / "blender_addon").rglob("*.py")):
        if "core" in path.relative_to(root / "blender_addon").parts[:-1]:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            tops = {name.partition(".")[0] for name in names}
            foreign = tops - ALLOWED - set(sys.stdlib_module_names)
            if foreign and path.name != "core_access.py":
                strangers[path.name] = foreign
    assert not strangers
