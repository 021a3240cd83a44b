# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures for how long Blender's window would stand still: a large head made, drawn, exported.

Does not know operators or windows: it times the pieces that run on Blender's main thread.

Usage: python -m blender_addon.measure_stops RIG AVATAR, both files of one avatar. Prints JSON.
`build` and `pack` are the longest steps of putting the head into the scene; `painted_reading` is
what a viewport does after each stroke on the texture, `painted_render` what a final frame does,
`painted_render_again` the next one; `export_here` what Blender's glTF exporter takes where it
still runs for scripts and in the background.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import bpy
import numpy as np

from .core_access import load_rig, pack_steps
from .engine.heads import FrameHead, heads_in, read_heads
from .exporters.formats import GLB
from .exporters.hand_over import hand_over_steps
from .exporters.head_export import Choice, export_head
from .head.stored_avatar import store
from .rig.build import BuiltHead, build_steps

TIMES = 3
Result = TypeVar("Result")


def making_stops(rig: Path, avatar: Path) -> tuple[BuiltHead, dict[str, float]]:
    """Build the head in an empty file, with the avatar inside as the add-on stores it.

    Returns it and the seconds of its longest steps.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    built, build = timed(build_steps(load_rig(rig)))
    packed, pack = timed(pack_steps(avatar.read_bytes()))
    store(built.mesh, packed)
    return built, {"build": build, "pack": pack}


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def timed(steps: Generator[None, None, Result]) -> tuple[Result, float]:
    """Return what steps come to, and the seconds of the longest one."""
    longest = 0.0
    while True:
        start = time.perf_counter()
        try:
            next(steps)
        except StopIteration as done:
            return done.value, max(longest, time.perf_counter() - start)
        longest = max(longest, time.perf_counter() - start)


def drawing_stops(built: BuiltHead) -> dict[str, float]:
    """Return seconds of what a viewport does before it asks for a frame."""
    graph = bpy.context.evaluated_depsgraph_get()
    return {
        "first_reading": seconds(lambda: heads_in(graph)),
        "next_reading": min(seconds(lambda: heads_in(graph)) for _ in range(TIMES)),
        "surface_message": seconds(lambda: heads_in(graph)[0].surface()),
        **painting_stops(built),
    }


def painting_stops(built: BuiltHead) -> dict[str, float]:
    """Return seconds of reading a head whose texture was painted on."""
    graph, image = bpy.context.evaluated_depsgraph_get(), built.mesh["romelink_albedo"]
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)

    def paint(colour: float) -> None:
        pixels[: 64 * image.channels] = colour
        image.pixels.foreach_set(pixels)

    took: list[float] = []
    for stroke in range(TIMES):
        paint(stroke / TIMES)
        follow(graph, took)
    paint(1.0)
    return {
        "painted_reading": max(took),
        "painted_render": seconds(lambda: heads_in(graph)),
        "painted_render_again": min(seconds(lambda: heads_in(graph)) for _ in range(TIMES)),
    }


def follow(graph: bpy.types.Depsgraph, took: list[float]) -> None:
    """Read the head until its texture is what its image shows, as a viewport does.

    took: gets the seconds of every step on the main thread.
    """
    head: FrameHead | None = None
    while head is None or head.texture.better is not None:
        better = None if head is None else head.texture.better
        texture = None if better is None else better.result()
        start = time.perf_counter()
        if head is None or texture is None:
            head = read_heads(graph, lambda instance: True)[0]
        else:
            head = head.with_texture(texture)
        took.append(time.perf_counter() - start)


def export_stops(built: BuiltHead, folder: Path) -> dict[str, float]:
    """Return seconds of the longest step of handing a head over, and of exporting it here."""
    context, head = bpy.context, built.mesh
    target = folder / "head.glb"
    return {
        "hand_over": min(
            timed(hand_over_steps(context, head, folder, target, GLB, Choice()))[1]
            for _ in range(TIMES)
        ),
        "export_here": seconds(lambda: export_head(context, head, target, GLB, Choice())),
    }


def main(arguments: list[str]) -> int:
    """Measure and print."""
    built, found = making_stops(Path(arguments[0]), Path(arguments[1]))
    with tempfile.TemporaryDirectory() as folder:
        found |= drawing_stops(built) | export_stops(built, Path(folder))
    facts = {
        "blender": bpy.app.version_string,
        "texture_px": list(built.mesh["romelink_albedo"].size),
        "seconds": {name: round(value, 4) for name, value in found.items()},
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
