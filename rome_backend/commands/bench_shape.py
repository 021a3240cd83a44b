# SPDX-License-Identifier: Apache-2.0
"""`rome bench heads`: how true the shape of a head is.

Does not know how anything is measured.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rome_backend.commands.console import Console
from rome_backend.commands.create import add_options, chosen_options


def add_shape(kinds: Any, shared: argparse.ArgumentParser) -> None:
    """Add `heads` to the benches."""
    heads = kinds.add_parser("heads", parents=[shared], help="distance to 3D heads from renders")
    heads.add_argument("--data", type=Path, required=True, metavar="DIR", help="test data")
    heads.add_argument(
        "--only", action="append", default=[], metavar="NAMES", help="names, with commas between"
    )
    add_options(heads)
    heads.set_defaults(run=_heads)


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
