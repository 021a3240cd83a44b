# SPDX-License-Identifier: Apache-2.0
"""How fast data are made and networks trained here, and how long training waits for data.

Does not know which commands start these, nor the command line.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from rome_backend.core.types import HeadModel
from training.config import TrainConfig
from training.data.clips import ClipRules
from training.data.engines import Engine
from training.data.instruments import Instruments
from training.data.prepare import prepare
from training.data.recordings import Recording
from training.data.shards import ShardSet
from training.losses.networks import LossNetworks
from training.processes import Processes
from training.trainer import RunOptions, Samples, train

_WARM = 1  # steps that are not counted: memory is taken and kernels are chosen


@dataclass(frozen=True)
class Throughput:
    """One row: what was measured, of what size, on which device; images per second, and the share
    of the time in which training waited for samples, None where nothing waits."""

    what: str
    side: int
    batch: int | None
    device: str
    images_per_second: float
    waiting: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def train_throughput(
    config: TrainConfig, head: HeadModel, samples: Samples, steps: int, device: torch.device
) -> Throughput:
    """Return how fast a configuration trains; ``steps`` of them count, after one that does not.

    Losses whose network is not given are off. Writing the last checkpoint does not count.
    """
    ends: list[float] = []

    def told(done: int, count: int, losses: Mapping[str, float]) -> None:
        ends.append(time.monotonic())

    with tempfile.TemporaryDirectory() as folder:
        total = steps + _WARM + 1  # the last one writes a checkpoint
        options = RunOptions(Path(folder), total, total, total)
        alone = Processes(1, 0, device)
        result = train(config, head, samples, options, LossNetworks(), alone, told)
    seconds = ends[-2] - ends[_WARM - 1]
    return Throughput(
        f"train {config.name}", config.sizes.side, config.batch, device.type,
        round(steps * config.batch / max(seconds, 1e-9), 3), round(result.waiting, 4),
    )  # fmt: skip


def prepare_throughput(
    recordings: Sequence[Recording],
    instruments: Instruments,
    rules: ClipRules,
    side: int,
    engine: Engine | None = None,
) -> Throughput:
    """Return how many frames a second `prepare` looks at, its samples' making included."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        prepare(recordings, Path(folder), instruments, rules, side, engine=engine)
        seconds = time.monotonic() - start
        entries = ShardSet(Path(folder)).manifest["shards"]
    looked_at = sum(entry.get("looked_at", 0) for entry in entries)
    return Throughput("prepare", side, None, "cpu", round(looked_at / max(seconds, 1e-9), 3))


def sample_throughput(what: str, samples: Samples, count: int, side: int) -> Throughput:
    """Return how many samples, each of two pictures, are read or made a second.

    The first one, which loads what they share, does not count.
    """
    samples.sample(0)
    start = time.monotonic()
    for place in range(count):
        samples.sample((place + 1) % len(samples))
    seconds = time.monotonic() - start
    return Throughput(what, side, None, "cpu", round(2 * count / max(seconds, 1e-9), 3))


def table(rows: Sequence[Throughput]) -> list[str]:
    """Return the rows as a table in Markdown."""
    head = "| what | side | batch | device | images/s | waits for data |"
    lines = [head, "|---|---|---|---|---|---|"]
    for row in rows:
        batch = "" if row.batch is None else str(row.batch)
        waiting = "" if row.waiting is None else f"{100 * row.waiting:.1f} %"
        speed = f"{row.images_per_second:.3g}"
        lines.append(f"| {row.what} | {row.side} | {batch} | {row.device} | {speed} | {waiting} |")
    return lines
