# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how long a rig takes to build, and how fast its animation plays without a window.

Does not know limits or the backend: `rome bench rig` starts it in a Python with bpy.

Usage: python -m blender_addon.rig.measure RIG FRAMES ROUNDS. One JSON object on stdout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from math import pi, sin
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..core_access import RigArrays, RomeError, load_rig
from .build import BuiltHead, build_head

PERIOD = 50  # frames of one movement to and fro
SWING = 0.3  # rad, and share of a slider's range
BONES = ("neck", "jaw", "left_eye", "right_eye")


def measure(rig: RigArrays, frames: int, rounds: int) -> dict[str, Any]:
    """Return seconds of every build and of the playback, with what was built.

    Every key that no driver sets and every bone is keyed, so that each frame differs and no key
    rests at zero: Blender leaves out keys that do.
    """
    seconds = []
    for _ in range(rounds):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        start = time.perf_counter()
        head = build_head(rig)
        bpy.context.view_layer.update()
        seconds.append(time.perf_counter() - start)
    _animate(head, rig, frames)
    blocks = head.mesh.data.shape_keys
    return {
        "blender": bpy.app.version_string,
        "vertices": len(head.mesh.data.vertices),
        "keys": len(blocks.key_blocks) - 1,
        "drivers": len(blocks.animation_data.drivers),
        "build_seconds": seconds,
        "frames": frames,
        "play_seconds": _play(head, frames),
    }


def _animate(head: BuiltHead, rig: RigArrays, frames: int) -> None:
    blocks = head.mesh.data.shape_keys.key_blocks
    for number, key in enumerate(rig.keys):
        if key.driver is None:
            reach = SWING * (key.maximum - key.minimum)
            for frame in range(1, frames + PERIOD, PERIOD // 2):
                up = 1.0 if (frame // (PERIOD // 2) + number) % 2 else 0.2
                blocks[key.name].value = reach * up
                blocks[key.name].keyframe_insert("value", frame=frame)
    for bone in (head.armature.pose.bones[name] for name in BONES):
        bone.rotation_mode = "XYZ"
        for frame in range(1, frames + PERIOD, 5):
            bone.rotation_euler = [SWING * sin(2 * pi * frame / PERIOD + axis) for axis in range(3)]
            bone.keyframe_insert("rotation_euler", frame=frame)


def _play(head: BuiltHead, frames: int) -> float:
    """Return the seconds of showing every frame once, the evaluated surface read each time."""
    scene = bpy.context.scene
    scene.frame_set(frames + 1)
    points = np.empty(3 * len(head.mesh.data.vertices), np.float32)
    graph = bpy.context.evaluated_depsgraph_get()
    last = points.copy()
    start = time.perf_counter()
    for frame in range(1, frames + 1):
        scene.frame_set(frame)
        head.mesh.evaluated_get(graph).data.vertices.foreach_get("co", points)
        if np.array_equal(points, last):
            raise RuntimeError(f"nothing moved in frame {frame}")
        points, last = last, points
    return time.perf_counter() - start


def main(arguments: Sequence[str]) -> int:
    """Run the program; the last line on stderr says what went wrong."""
    if len(arguments) != 3:
        sys.stderr.write("usage: python -m blender_addon.rig.measure RIG FRAMES ROUNDS\n")
        return 2
    try:
        found = measure(load_rig(Path(arguments[0])), int(arguments[1]), int(arguments[2]))
    except (RomeError, OSError, RuntimeError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
