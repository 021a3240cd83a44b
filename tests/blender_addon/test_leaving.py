# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender as a module ends when Python does, also after the backend was asked for something.

Anything that still holds the module then, a waiting thread for example, makes 4.5 hang.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from blender_addon.backend.find_python import clean_environment

PROGRAM = """
import bpy, blender_addon
blender_addon.register()
from blender_addon.backend.client import shared
from blender_addon.core_access import Rebake
try:
    shared().cancel(shared().request(Rebake(0, "nobody")))
    error = shared().request(Rebake(0, "nobody")).future.exception(60)
    assert shared().pid is not None, error
finally:
    blender_addon.unregister()
print("left", error.code, flush=True)
"""
LIMIT_SECONDS = 110


def test_python_ends_after_a_talk_with_the_backend(root, backend_python, tmp_path):
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    more = {
        "PYTHONPATH": str(root),
        "ROME_BACKEND_PYTHON": backend_python,
        "BLENDER_USER_RESOURCES": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=clean_environment(**more), cwd=tmp_path,
        capture_output=True, text=True, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "left avatar_unknown" in done.stdout
