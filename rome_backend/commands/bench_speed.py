# SPDX-License-Identifier: Apache-2.0
"""`rome bench speed`: how many times as fast as its peers each part is.

Does not know how anything is timed.
"""

from __future__ import annotations

import argparse
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError


def add_speed(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `bench speed` to the command line."""
    parser = kinds.add_parser("speed", parents=[shared], help="ratios to slower ways, one run")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.set_defaults(run=_speed)


def _speed(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.assets.store import cache_dir
    from rome_backend.bench.speed import bench_speed
    from rome_backend.open_head.build import open_head

    if args.rounds < 1:
        raise UsageError("rounds", "At least one round is needed.", "Try --rounds 5.")
    payload = bench_speed(open_head(cache_dir()), args.rounds, console.progress)
    spread = payload["spread"]
    lines = []
    for name, value in payload["ratios"].items():
        between = f"  ({spread[name][0]} to {spread[name][1]})" if name in spread else ""
        lines.append(f"{name:28} {'not installed' if value is None else value}{between}")
    lines += [f"{name:28} {1000 * value:10.1f} ms" for name, value in payload["seconds"].items()]
    console.result(payload, lines)
    return 0
