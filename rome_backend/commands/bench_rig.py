# SPDX-License-Identifier: Apache-2.0
"""`rome bench rig`: how fast a head is built and played in Blender.

Does not know how it is measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.commands.create import add_options, chosen_options
from rome_backend.core.errors import UsageError


def add_rig(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `rig` to the kinds of benches."""
    rig = kinds.add_parser("rig", parents=[shared], help="a head in Blender: building, playback")
    rig.add_argument("photo", nargs="?", type=Path, metavar="PHOTO", help="default: demo's")
    rig.add_argument("--frames", type=int, default=250, metavar="N")
    rig.add_argument("--rounds", type=int, default=3, metavar="N", help="builds; the median counts")
    rig.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    add_options(rig)
    rig.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Make a head of a photo, measure it in Blender and compare with the limits if asked to."""
    from tempfile import TemporaryDirectory

    from rome_backend.avatar.create import create_avatar, load_tools
    from rome_backend.bench.rig import bench_rig, missed_limits
    from rome_backend.commands.demo import default_photo
    from rome_backend.export.rig_arrays import rig_arrays

    if args.rounds < 1 or args.frames < 1:
        raise UsageError("rounds", "At least one round and one frame.", "Try --frames 250.")
    options = chosen_options(args)
    tools = load_tools(options.head)
    with TemporaryDirectory(prefix="rome-bench-") as folder:
        photo = args.photo or default_photo(Path(folder))
        avatar = create_avatar([photo], options, tools=tools).avatar
    payload = bench_rig(rig_arrays(tools.head, tools.basis, avatar), args.frames, args.rounds)
    console.result(payload, [f"{name}: {value}" for name, value in payload.items()])
    missed = missed_limits(payload) if args.check else []
    for sentence in missed:
        console.say(f"missed: {sentence}")
    return 1 if missed else 0
