# SPDX-License-Identifier: Apache-2.0
"""The commands of ``python -m training``: what they are given, what they run, what they say.

Does not know how anything is made or trained.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rome_backend.assets.store import cache_dir
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.open_head.build import open_head
from training.data.shards import StoredSample, write_shards
from training.data.synthetic.sequence import VERSION, SequenceMaker

_LARGEST_SIDE = 1024


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON object on stdout")
    shared.add_argument("--quiet", action="store_true", help="no progress on stderr")
    made = commands.add_parser(
        "synthesize", parents=[shared], help="make two-frame sequences of invented people"
    )
    made.add_argument("-n", "--count", type=int, required=True, help="number of sequences")
    made.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    made.add_argument("--side", type=int, default=256, help="px of the pictures (256)")
    made.add_argument("--seed", type=int, default=0, help="other people, the same ones again (0)")
    made.add_argument("--per-shard", type=int, default=16, help="sequences in a shard (16)")
    made.set_defaults(run=synthesize)
    return parser


def synthesize(options: argparse.Namespace, console: Console) -> int:
    """Write shards of invented sequences; what a run before has finished is kept.

    Raises UsageError (`usage`, `shards_differ`).
    """
    _check_sizes(options)
    head = open_head(cache_dir() / "heads")
    maker = SequenceMaker(head, options.side, options.seed)

    def make(number: int) -> StoredSample:
        sequence = maker.make(number)
        return StoredSample(sequence.sample, {"labels": sequence.labels}, sequence.offsets)

    settings = {
        "kind": "synthetic",
        "version": VERSION,
        "seed": options.seed,
        "side": options.side,
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


def _check_sizes(options: argparse.Namespace) -> None:
    sizes: Sequence[Any] = (options.count, options.per_shard, options.side)
    if min(sizes) < 1 or options.side > _LARGEST_SIDE or options.side % 2 or options.seed < 0:
        raise UsageError(
            "usage",
            "Counts are at least 1, the seed at least 0, "
            f"the side an even number up to {_LARGEST_SIDE}.",
            "See: python -m training synthesize -h",
        )
