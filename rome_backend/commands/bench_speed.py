# SPDX-License-Identifier: Apache-2.0
"""`rome bench` and `rome bench speed`: how many times as fast as its peers each part is.

Does not know how anything is timed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError

SIZES = (256, 512, 1024)


def add_speed(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `bench speed` to the command line."""
    parser = kinds.add_parser("speed", parents=[shared], help="ratios to slower ways, one run")
    add_speed_options(parser)


def add_speed_options(parser: argparse.ArgumentParser) -> None:
    """Add the speed bench's options to a parser, and make it what the parser runs."""
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument(
        "--frames", type=int, default=240, metavar="N", help="of the timelines; at least 10"
    )
    parser.add_argument(
        "--largest", type=int, default=SIZES[-1], choices=SIZES, help="frames up to this size, px"
    )
    parser.add_argument("--photo", type=Path, help="for create and the clip; default: demo's")
    parser.add_argument("--no-create", action="store_true", help="leave create and clips out")
    parser.add_argument("--no-hog", action="store_true", help="no frames beside a busy process")
    parser.add_argument("--chart", type=Path, metavar="PNG", help="write the ratios as bars")
    parser.add_argument("--check", action="store_true", help="exit 1 when a limit is missed")
    parser.set_defaults(run=_speed)


def _speed(args: argparse.Namespace, console: Console) -> int:
    from tempfile import TemporaryDirectory

    from rome_backend.assets.store import cache_dir
    from rome_backend.bench.speed import SpeedOptions, bench_speed
    from rome_backend.bench.speed_limits import missed_limits
    from rome_backend.commands.demo import default_photo
    from rome_backend.commands.outputs import require_writable
    from rome_backend.open_head.build import open_head

    if args.rounds < 1:
        raise UsageError("rounds", "At least one round is needed.", "Try --rounds 5.")
    if args.frames < 10:
        raise UsageError("frames", "At least 10 frames are needed.", "Try --frames 24.")
    if args.chart is not None:
        if args.chart.suffix.lower() != ".png":
            raise UsageError("chart", "The chart is a .png file.", "Try --chart speed.png.")
        require_writable(args.chart.parent)
    with TemporaryDirectory(prefix="rome-bench-") as folder:
        photo = None
        if not args.no_create:
            photo = args.photo or default_photo(Path(folder))
        sizes = tuple(size for size in SIZES if size <= args.largest)
        options = SpeedOptions(args.rounds, args.frames, photo, sizes, not args.no_hog)
        payload = bench_speed(open_head(cache_dir()), options, console.progress)
    if args.chart is not None:
        _write_chart(payload, args.chart)
    console.result(payload, _table(payload))
    missed = missed_limits(payload) if args.check else []
    for sentence in missed:
        console.say(f"missed: {sentence}")
    return 1 if missed else 0


def _write_chart(payload: dict[str, Any], path: Path) -> None:
    from PIL import Image

    from rome_backend.bench.speed_limits import chart
    from rome_backend.commands.outputs import staged

    with staged(path.parent) as stage:
        Image.fromarray(chart(payload)).save(stage / path.name, optimize=True)


def _table(payload: dict[str, Any]) -> list[str]:
    spread = payload["spread"]
    lines = []
    for name, value in payload["ratios"].items():
        between = f"  ({spread[name][0]} to {spread[name][1]})" if name in spread else ""
        lines.append(f"{name:34} {'not measured' if value is None else value}{between}")
    lines += [f"light_{name:28} {value}" for name, value in payload["light"].items()]
    lines += [f"{name:34} {1000 * value:10.1f} ms" for name, value in payload["seconds"].items()]
    return lines
