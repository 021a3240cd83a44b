# SPDX-License-Identifier: Apache-2.0
"""`bench rig`: seconds until a head stands in Blender, and frames per second of its playback.

Does not know bpy: a child Python that has it measures (blender_addon/rig/measure.py).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import rome_backend
from rome_backend.bench.processes import run_child
from rome_backend.core.errors import RomeError
from rome_backend.core.rig_file import save_rig
from rome_backend.core.types import RigArrays, RigKey
from rome_backend.export.blend import bpy_python

KEYS = 170
DRIVEN = 36
MOST_BUILD_SECONDS = 1.0
LEAST_FPS = 24.0
TIMEOUT_SECONDS = 300.0
PADDING = "Padding"
_PROGRAM = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('blender_addon.rig.measure', run_name='__main__', alter_sys=True)"
)


def bench_rig(rig: RigArrays, frames: int, rounds: int) -> dict[str, Any]:
    """Return the bench's JSON payload for a rig, padded to a full rig's number of keys.

    Raises AssetMissing 'blender_missing' where there is no Python with bpy, RomeError
    'blend_failed' where the child fails.
    """
    full = padded(rig)
    found = _measured(full, frames, rounds)
    return {
        "head_model": str(rig.properties.get("head_model", "")),
        "blender": found["blender"],
        "vertices": found["vertices"],
        "keys": found["keys"],
        "keys_padded": len(full.keys) - len(rig.keys),
        "drivers": found["drivers"],
        "rig_mib": round(found["bytes"] / 2**20, 1),
        "build_seconds": round(median(found["build_seconds"]), 3),
        "build_seconds_each": [round(seconds, 3) for seconds in found["build_seconds"]],
        "frames": frames,
        "fps": round(frames / found["play_seconds"], 1),
    }


def padded(rig: RigArrays) -> RigArrays:
    """Return the rig with copies of its keys up to KEYS free ones and DRIVEN driven ones.

    Padding keys repeat the deltas of the rig's own, so they cost what those cost; their names
    begin with PADDING. What a rig has beyond these numbers stays.
    """
    driven = [key for key in rig.keys if key.driver is not None]
    free = [key for key in rig.keys if key.driver is None]
    keys = list(rig.keys)
    if driven:
        keys += _copies(driven, DRIVEN - len(driven), "Driven")
    if free:
        keys += _copies(free, KEYS - len(free), "")
    return replace(rig, keys=tuple(keys))


def _copies(keys: list[RigKey], count: int, kind: str) -> list[RigKey]:
    return [
        replace(keys[number % len(keys)], name=f"{PADDING}{kind}{number + 1}")
        for number in range(max(count, 0))
    ]


def _measured(rig: RigArrays, frames: int, rounds: int) -> dict[str, Any]:
    root = str(Path(rome_backend.__file__).resolve().parents[1])
    python = str(bpy_python())
    with tempfile.TemporaryDirectory(prefix="rome-bench-") as folder:
        path = Path(folder, "head.rig")
        save_rig(rig, path)
        size = path.stat().st_size
        command = [python, "-P", "-c", _PROGRAM, root, str(path), str(frames), str(rounds)]
        child = run_child(command, TIMEOUT_SECONDS)
    try:
        found = json.loads(child.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = (child.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RomeError(
            "blend_failed",
            f"Blender's module could not measure the head (exit code {child.code}: {said}).",
            "Run 'rome doctor' to see whether Blender's module works here.",
        ) from error
    return {**found, "bytes": size}


def missed_limits(payload: dict[str, Any]) -> list[str]:
    """Return a sentence for every limit that a payload of bench_rig misses."""
    missed = []
    if payload["build_seconds"] >= MOST_BUILD_SECONDS:
        taken = payload["build_seconds"]
        missed.append(f"the head takes {taken} s to build; {MOST_BUILD_SECONDS} s is the limit")
    if payload["fps"] < LEAST_FPS:
        missed.append(f"it plays {payload['fps']} frames per second; {LEAST_FPS} are needed")
    if payload["keys"] < KEYS or payload["drivers"] < DRIVEN:
        missed.append(f"only {payload['keys']} keys and {payload['drivers']} drivers were measured")
    return missed
