# SPDX-License-Identifier: Apache-2.0
"""`prepare`: samples of videos in shards.

Does not know how samples are made.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from training.commands.choices import check_side, only
from training.data.clips import ClipRules
from training.data.prepare import prepare, video_files
from training.data.shards import ShardSet


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
