# SPDX-License-Identifier: Apache-2.0
"""`throughput`: images per second of `train`, `prepare` and `synthesize` on this machine.

Does not know how anything is measured.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.render.device import torch_device
from training.commands.choices import check_side
from training.config import TrainConfig, named_config
from training.data.clips import ClipRules
from training.data.engines import Processes
from training.data.instruments import load_instruments
from training.data.live import LiveSequences
from training.data.prepare import recordings_in
from training.data.recordings import named
from training.data.shards import ShardSet, StoredSample, write_shards
from training.throughput import (
    Throughput,
    prepare_throughput,
    sample_throughput,
    table,
    train_throughput,
)
from training.trainer import Samples


def add_throughput(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `throughput` to the command line."""
    measured = commands.add_parser(
        "throughput", parents=[shared], help="measure images per second on this machine"
    )
    measured.add_argument("--config", default="small", help="configurations with commas (small)")
    measured.add_argument("--shards", type=Path, help="train on these, not on invented people")
    measured.add_argument("--videos", type=Path, help="measure prepare on these")
    measured.add_argument("--only", help="names of videos, or their beginnings, with commas")
    measured.add_argument("--every", type=int, default=5, help="look at each n-th frame (5)")
    measured.add_argument("--workers", type=int, default=1, help="processes of prepare (1)")
    measured.add_argument("--steps", type=int, default=5, help="that count (5)")
    measured.add_argument("--side", type=int, default=64, help="px (64)")
    measured.add_argument("--batch", type=int, help="samples per step")
    measured.add_argument("--people", type=int, default=8, help="invented people (8)")
    measured.add_argument("--seed", type=int, default=0, help="of invented people (0)")
    measured.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    measured.set_defaults(run=throughput)


def throughput(options: argparse.Namespace, console: Console) -> int:
    """Measure, and tell a table.

    Raises UsageError (`usage`, `unknown_config`, `no_clips`) and FileInvalid (`shards_invalid`).
    """
    check_side(options)
    if min(options.steps, options.people, options.workers, options.every) < 1:
        raise UsageError(
            "usage", "Every number is at least 1.", "See: python -m training throughput -h"
        )
    try:
        configs = [_config(options, name) for name in options.config.split(",")]
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training throughput -h") from error
    device = torch_device(options.device)
    rows: list[Throughput] = []
    if options.videos is not None:
        console.progress("preparing clips", 0.0)
        recordings = named(recordings_in(options.videos), options.only)
        rules = ClipRules(every=options.every)
        instruments = load_instruments(AssetStore())
        engine = Processes(options.workers)
        rows.append(prepare_throughput(recordings, instruments, rules, options.side, engine))
    with tempfile.TemporaryDirectory() as folder:
        rows += _training(options, configs, device, Path(folder), console.progress)
    console.result({"rows": [row.as_dict() for row in rows], "device": str(device)}, table(rows))
    return 0


def _config(options: argparse.Namespace, name: str) -> TrainConfig:
    config = named_config(name)
    batch = options.batch or config.batch
    sizes = replace(config.sizes, side=options.side)
    micro = min(config.micro_batch, batch)
    return replace(config, sizes=sizes, batch=batch, micro_batch=micro)


def _training(
    options: argparse.Namespace,
    configs: list[TrainConfig],
    device: torch.device,
    folder: Path,
    progress: Callable[[str, float], None],
) -> list[Throughput]:
    """Measure the making of people, the reading of shards, and every configuration on them."""
    head: HeadModel = open_head(cache_dir() / "heads")
    side, people, rows = options.side, options.people, []
    samples: Samples
    if options.shards is None:
        progress("inventing people", 0.1)
        live = LiveSequences(side, options.seed, people)
        rows.append(sample_throughput("synthesize", live, people, side))
        write_shards(folder, lambda place: StoredSample(live.sample(place), {}), people, {})
        samples = ShardSet(folder)
    else:
        samples = ShardSet(options.shards)
    rows.append(sample_throughput("read shards", samples, min(people, len(samples)), side))
    for number, config in enumerate(configs):
        progress(f"training {config.name}", 0.2 + 0.8 * number / len(configs))
        rows.append(train_throughput(config, head, samples, options.steps, device))
    return rows
