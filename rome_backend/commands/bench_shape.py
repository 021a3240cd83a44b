# SPDX-License-Identifier: Apache-2.0
"""`rome bench heads` and `rome bench identity`: how true the shape of a head is.

Does not know how anything is measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.commands.create import add_options, chosen_options
from rome_backend.core.errors import UsageError


def add_shape(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `heads` and `identity` to the benches."""
    heads = kinds.add_parser("heads", parents=[shared], help="distance to 3D heads from renders")
    heads.add_argument("--data", type=Path, required=True, metavar="DIR", help="test data")
    heads.add_argument(
        "--only", action="append", default=[], metavar="NAMES", help="names, with commas between"
    )
    add_options(heads)
    heads.set_defaults(run=_heads)
    identity = kinds.add_parser(
        "identity", parents=[shared], help="shapes of synthetic people of known identity"
    )
    identity.add_argument("--data", type=Path, metavar="DIR", help="its photos lend textures")
    identity.add_argument("--people", type=int, default=24, metavar="N")
    identity.add_argument("--check", action="store_true", help="exit 1 when a bound is missed")
    add_options(identity)
    identity.set_defaults(run=_identity)


def _heads(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.bench.heads import bench_heads, summary

    only = [name for value in args.only for name in value.split(",") if name]
    payload = bench_heads(args.data, chosen_options(args), console.progress, only)
    lines = [
        f"{row['name']:24} {row['yaw']:+4d}  chamfer {row['chamfer_mm']:5.2f} mm"
        f" (average head {row['average_chamfer_mm']:5.2f})  face {row['face_mm']:5.2f} mm"
        f" ({row['average_face_mm']:5.2f})"
        for row in payload["heads"]
    ]
    lines += [f"{row['name']:24} {row['yaw']:+4d}  refused" for row in payload.get("refused", [])]
    lines += [f"yaw {yaw}: {values}" for yaw, values in summary(payload["heads"]).items()]
    console.result(payload, lines)
    return 0


def _identity(args: argparse.Namespace, console: Console) -> int:
    from rome_backend.bench.identity import bench_identity, missed_bounds

    if args.people < 2:
        raise UsageError("people", "At least two people are needed.", "Try --people 24.")
    options = chosen_options(args)
    payload = bench_identity(options, console.progress, args.data, args.people)
    lines = [
        f"yaw {yaw:>2}: shape {row['shape_mm']:.2f} mm, average head {row['average_mm']:.2f} mm"
        for yaw, row in payload["by_yaw"].items()
    ]
    lines += [f"photos {count}: shape {mm:.2f} mm" for count, mm in payload["by_count"].items()]
    right = f"{100 * payload['nearest_neighbour_accuracy']:.0f} % of {payload['photos']} photos"
    console.result(payload, [*lines, f"nearest photo of the same person: {right}"])
    missed = missed_bounds(payload) if args.check else []
    for sentence in missed:
        console.say(f"missed: {sentence}")
    return 1 if missed else 0
