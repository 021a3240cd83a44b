# SPDX-License-Identifier: Apache-2.0
"""`prepare`: samples of videos in shards.

Does not know how samples are made.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from rome_backend.assets.store import AssetStore
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from training.commands.choices import check_side
from training.data.clips import ClipRules
from training.data.engines import Engine, Processes, RayCluster
from training.data.instruments import load_instruments
from training.data.prepare import prepare, recordings_in
from training.data.recordings import named
from training.data.released import PHASES
from training.data.shards import MANIFEST, ShardSet


def add_prepare(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `prepare` to the command line."""
    made = commands.add_parser(
        "prepare", parents=[shared], help="take samples from a folder of videos"
    )
    made.add_argument(
        "videos", type=Path,
        help="folder of videos, also in folders of people, or ROME's released databases",
    )  # fmt: skip
    made.add_argument("-o", "--output", type=Path, required=True, help="folder of shards")
    made.add_argument("--side", type=int, default=256, help="px of the pictures (256)")
    made.add_argument("--seed", type=int, default=0, help="of which pairs of frames are taken (0)")
    made.add_argument("--every", type=int, default=5, help="look at each n-th frame (5)")
    made.add_argument("--pairs", type=int, default=8, help="samples per video at most (8)")
    made.add_argument("--quality", type=float, help="least score of a frame (the judge's own)")
    made.add_argument("--only", help="names of videos or people, or their beginnings, with commas")
    made.add_argument("--phase", choices=PHASES, default="train", help="list of the databases")
    made.add_argument("--engine", choices=["local", "ray"], default="local", help="who works")
    made.add_argument("--workers", type=int, default=1, help="processes of this machine (1)")
    made.add_argument("--address", help="of the Ray cluster; the one that runs here, or a new one")
    made.set_defaults(run=prepare_videos)


def prepare_videos(options: argparse.Namespace, console: Console) -> int:
    """Write a shard per video; what a run before has finished is kept, bad videos are skipped.

    Raises UsageError (`usage`, `no_clips`, `no_lmdb`, `no_ray`, `shards_differ`), FileInvalid
    (`keys_invalid`) and OutOfResources (`worker_died`).
    """
    try:
        rules = ClipRules(every=options.every, pairs=options.pairs, least_quality=options.quality)
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training prepare -h") from error
    check_side(options)
    engine = _engine(options)
    recordings = named(recordings_in(options.videos, options.phase), options.only)
    start, before = time.monotonic(), _finished(options.output)
    manifest = prepare(
        recordings, options.output, load_instruments(AssetStore()), rules, options.side,
        options.seed, console.progress, engine,
    )  # fmt: skip
    seconds = time.monotonic() - start
    shards = ShardSet(options.output)
    entries = shards.manifest["shards"]
    skipped = {entry["video"]: entry["skipped"] for entry in entries if "skipped" in entry}
    looked_at = sum(entry.get("looked_at", 0) for entry in entries[before:])
    result = {
        "manifest": str(manifest),
        "videos": len(entries),
        "samples": len(shards),
        "skipped": skipped,
        "seconds": round(seconds, 1),
        "frames_per_second": round(looked_at / max(seconds, 1e-9), 2),
    }
    lines = [f"{len(shards)} samples of {len(entries)} videos: {manifest}"]
    console.result(result, [*lines, *(f"skipped {name}: {why}" for name, why in skipped.items())])
    return 0


def _engine(options: argparse.Namespace) -> Engine:
    if options.workers < 1:
        raise UsageError("usage", "There is at least one worker.", "See: training prepare -h")
    if options.engine == "ray":
        return RayCluster(options.address)
    return Processes(options.workers)


def _finished(folder: Path) -> int:
    """Return how many shards a run before has finished."""
    return len(ShardSet(folder).manifest["shards"]) if (folder / MANIFEST).is_file() else 0
