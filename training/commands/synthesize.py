# SPDX-License-Identifier: Apache-2.0
"""`synthesize`: invented people in shards, for the paper's networks or as the system sees them.

Does not know how people are made.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from training.commands.choices import check_side
from training.data.shards import StoredSample, write_shards
from training.data.synthetic import reenacted, sequence

Make = Callable[[int], StoredSample]


def add_synthesize(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `synthesize` to the command line."""
    made = commands.add_parser(
        "synthesize", parents=[shared], help="make two-frame sequences of invented people"
    )
    made.add_argument("-n", "--count", type=int, required=True, help="number of sequences")
    made.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    made.add_argument("--side", type=int, default=256, help="px of the pictures (256)")
    made.add_argument("--seed", type=int, default=0, help="other people, the same ones again (0)")
    made.add_argument(
        "--layers", action="store_true",
        help="as the system itself sees them, with the layers that `light` starts from",
    )  # fmt: skip
    made.add_argument("--per-shard", type=int, default=16, help="sequences in a shard (16)")
    made.set_defaults(run=synthesize)


def synthesize(options: argparse.Namespace, console: Console) -> int:
    """Write shards of invented sequences; what a run before has finished is kept.

    Raises UsageError (`usage`, `shards_differ`) and PhotoRefused (`no_face`).
    """
    if min(options.count, options.per_shard) < 1:
        raise UsageError("usage", "Counts are at least 1.", "See: python -m training synthesize -h")
    check_side(options)
    head, make, version = _as_the_system_sees(options) if options.layers else _true(options)
    settings = {
        "kind": "synthetic",
        "version": version,
        "seed": options.seed,
        "side": options.side,
        "layers": options.layers,
        "head_model": head.name,
        "topology_id": head.topology_id,
    }
    start, made = time.monotonic(), [0]

    def told(done: int, count: int) -> None:
        made[0] += 1
        console.progress("inventing people", done / count)

    manifest = write_shards(options.output, make, options.count, settings, options.per_shard, told)
    seconds = time.monotonic() - start
    result = {
        "manifest": str(manifest),
        "samples": options.count,
        "made": made[0],
        "samples_per_second": round(made[0] / max(seconds, 1e-9), 3),
    }
    console.result(result, [f"{options.count} sequences: {manifest}"])
    return 0


def _true(options: argparse.Namespace) -> tuple[HeadModel, Make, int]:
    """Return what makes sequences with exact parameters and labels."""
    head = open_head(cache_dir() / "heads")
    maker = sequence.SequenceMaker(head, options.side, options.seed)

    def make(number: int) -> StoredSample:
        made = maker.make(number)
        return StoredSample(made.sample, {"labels": made.labels})

    return head, make, sequence.VERSION


def _as_the_system_sees(options: argparse.Namespace) -> tuple[HeadModel, Make, int]:
    """Return what makes samples with photo layers: avatars of the whole pipeline."""
    maker = reenacted.ReenactedMaker(load_tools(), options.side, options.seed)
    return maker.head, lambda number: StoredSample(maker.make(number), {}), reenacted.VERSION
