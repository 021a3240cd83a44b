# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a head from a rig file in an empty scene and saves it as a .blend.

Does not know the backend: it is the program that the backend starts in a Python with bpy.

Usage: python -m blender_addon.rig RIG BLEND. Exit code 0 when BLEND was written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from ..core_access import RomeError, load_rig
from .build import build_head
from .scene import prepare_scene


def save_head(rig_path: Path, blend_path: Path) -> None:
    """Build the rig file's head in an empty scene and save that, compressed.

    Raises RomeError where the rig file or its camera is unusable, RuntimeError where Blender
    cannot save.
    """
    rig = load_rig(rig_path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    head = build_head(rig)
    prepare_scene(head, rig.camera.width, rig.camera.height)
    bpy.context.preferences.filepaths.save_version = 0
    bpy.ops.wm.save_as_mainfile(filepath=str(blend_path), compress=True, check_existing=False)


def main(arguments: list[str]) -> int:
    """Run the program; the last line on stderr says what went wrong."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m blender_addon.rig RIG BLEND\n")
        return 2
    try:
        save_head(Path(arguments[0]), Path(arguments[1]))
    except (RomeError, OSError, RuntimeError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
