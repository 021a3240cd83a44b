# SPDX-License-Identifier: Apache-2.0
"""`synthesize` and `prepare`: samples in shards.

Does not know how samples are made.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.open_head.build import open_head
from training.commands.choices import check_side, only
from training.data.clips import ClipRules
from training.data.prepare import prepare, video_files
from training.data.shards import ShardSet, StoredSample, write_shards
from training.data.synthetic.sequence import VERSION, SequenceMaker, with_texture
from training.evaluation.synthetic import texture_side


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
        "--texture", action="store_true", help="with the baked texture that `light` starts from"
    )
    made.add_argument("--per-shard", type=int, default=16, help="sequences in a shard (16)")
    made.set_defaults(run=synthesize)


def synthesize(options: argparse.Namespace, console: Console) -> int:
    """Write shards of invented sequences; what a run before has finished is kept.

    Raises UsageError (`usage`, `shards_differ`).
    """
    _check_sizes(options)
    head = open_head(cache_dir() / "heads")
    maker = SequenceMaker(head, options.side, options.seed)

    def make(number: int) -> StoredSample:
        sequence = maker.make(number)
        sample = sequence.sample
        if options.texture:
            sample = with_texture(sequence, head, texture_side(options.side))
        return StoredSample(sample, {"labels": sequence.labels})

    settings = {
        "kind": "synthetic",
        "version": VERSION,
        "seed": options.seed,
        "side": options.side,
        "texture": options.texture,
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


def add_prepare(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `prepare` to the command line."""
    made = commands.add_parser(
        "prepare", parents=[shared], help="take samples from a folder of videos"
    )
    made.add_argument("videos", type=Path, help="folder of videos, also in folders of people")
    made.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    made.add_argument("--side", type=int, default=256, help="px of the pictures (256)")
    made.add_argument("--seed", type=int, default=0, help="of which pairs of frames are taken (0)")
    made.add_argument("--every", type=int, default=5, help="look at each n-th frame (5)")
    made.add_argument("--pairs", type=int, default=8, help="samples per video at most (8)")
    made.add_argument("--only", help="names of videos, or their beginnings, with commas")
    made.set_defaults(run=prepare_videos)


def prepare_videos(options: argparse.Namespace, console: Console) -> int:
    """Write a shard per video; what a run before has finished is kept, bad videos are skipped.

    Raises UsageError (`usage`, `no_clips`, `shards_differ`).
    """
    try:
        rules = ClipRules(every=options.every, pairs=options.pairs)
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training prepare -h") from error
    check_side(options)
    paths = only(video_files(options.videos), options.only)
    start = time.monotonic()
    manifest = prepare(
        options.videos, options.output, load_tools(), rules, options.side, options.seed,
        console.progress, paths,
    )  # fmt: skip
    seconds = time.monotonic() - start
    shards = ShardSet(options.output)
    entries = shards.manifest["shards"]
    skipped = {entry["video"]: entry["skipped"] for entry in entries if "skipped" in entry}
    result = {
        "manifest": str(manifest),
        "videos": len(entries),
        "samples": len(shards),
        "skipped": skipped,
        "seconds": round(seconds, 1),
    }
    lines = [f"{len(shards)} samples of {len(entries)} videos: {manifest}"]
    console.result(result, [*lines, *(f"skipped {name}: {why}" for name, why in skipped.items())])
    return 0


def _check_sizes(options: argparse.Namespace) -> None:
    if min(options.count, options.per_shard) < 1:
        raise UsageError("usage", "Counts are at least 1.", "See: python -m training synthesize -h")
    check_side(options)
