# SPDX-License-Identifier: Apache-2.0
"""`train`: networks on shards, from the last checkpoint on.

Does not know how a step is taken.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.open_head.build import open_head
from rome_backend.render.device import torch_device
from training.commands.choices import check_head
from training.config import TrainConfig, named_config
from training.data.live import live_sequences
from training.data.shards import ShardSet
from training.losses.networks import loss_networks
from training.processes import joined
from training.trainer import RunOptions, RunResult, Samples, train

_SHOW_EVERY = 50


def add_train(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `train` to the command line."""
    run = commands.add_parser(
        "train", parents=[shared], help="train on shards, from the last checkpoint on"
    )
    run.add_argument("shards", type=Path, nargs="?", help="folder of shards")
    run.add_argument("--live", type=int, metavar="N", help="N invented people, made on the fly")
    run.add_argument("--people", type=int, default=0, metavar="SEED", help="which of them (0)")
    run.add_argument("--workers", type=int, default=0, help="processes that make them (0)")
    run.add_argument("-o", "--output", type=Path, required=True, help="folder of the run")
    run.add_argument("--config", default="open", help="named configuration (open)")
    run.add_argument("--steps", type=int, required=True, help="steps in all")
    run.add_argument("--seed", type=int, default=0, help="of weights and everything drawn (0)")
    run.add_argument("--batch", type=int, help="samples per step over all processes")
    run.add_argument("--micro-batch", type=int, help="samples that a process holds at a time")
    run.add_argument("--side", type=int, help="px of source, texture and picture")
    run.add_argument("--precision", choices=["float32", "bfloat16"], help="of the networks")
    run.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    run.add_argument("--checkpoint-every", type=int, default=500, help="steps (500)")
    run.set_defaults(run=train_networks)


def train_networks(options: argparse.Namespace, console: Console) -> int:
    """Train on shards or on people made on the fly; under torchrun all processes share each batch,
    and the first one speaks.

    Raises UsageError (`usage`, `unknown_config`, `other_run`, `no_samples`), FileInvalid
    (`shards_invalid`, `shards_of_another_head`, `checkpoint_invalid`), OutOfResources
    (`worker_died`) and RomeError.
    """
    with _samples(options) as (samples, settings):
        _train(options, console, samples, settings)
    return 0


@contextmanager
def _samples(options: argparse.Namespace) -> Iterator[tuple[Samples, Mapping[str, Any]]]:
    """Give what to train on, and what it depends on."""
    if (options.live is None) == (options.shards is None) or options.workers < 0:
        raise UsageError(
            "usage", "Name a folder of shards, or how many people are made on the fly.",
            "See: python -m training train -h",
        )  # fmt: skip
    if options.shards is not None:
        shards = ShardSet(options.shards)
        yield shards, shards.manifest["settings"]
        return
    side = options.side or named_config(options.config).sizes.side
    if options.live < 1 or side % 2 or options.people < 0:
        raise UsageError(
            "usage", "There is at least one person, and the side is even.",
            "See: python -m training train -h",
        )  # fmt: skip
    with live_sequences(side, options.people, options.live, options.workers) as made:
        yield made, made.settings()


def _train(
    options: argparse.Namespace, console: Console, samples: Samples, settings: Mapping[str, Any]
) -> None:
    try:
        config = _config(options, settings)
        run = RunOptions(
            options.output, options.steps, options.checkpoint_every, options.checkpoint_every,
            facts={"samples": len(samples), "settings": dict(settings)},
            readers=max(1, options.workers),
        )  # fmt: skip
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training train -h") from error
    head = open_head(cache_dir() / "heads")
    check_head(settings, head)
    with joined(torch_device(options.device)) as processes:
        networks = loss_networks(AssetStore(), processes.device)

        shown = ["training"]

        def told(done: int, steps: int, losses: Mapping[str, float]) -> None:
            if done % _SHOW_EVERY == 1:  # off a terminal every new text is a line
                shown[0] = f"step {done}, loss {losses['total']:.4g}"
            if processes.first:
                console.progress(shown[0], done / steps)

        result = train(config, head, samples, run, networks, processes, told)
        if processes.first:
            tell(result, console)


def _config(options: argparse.Namespace, settings: Mapping[str, Any]) -> TrainConfig:
    """Return the named configuration with what the command line and the shards say otherwise."""
    config = named_config(options.config)
    side = options.side or settings.get("side", config.sizes.side)
    changes = {"seed": options.seed, "sizes": replace(config.sizes, side=side)}
    for name in ("batch", "micro_batch", "precision"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    batch = changes.get("batch", config.batch)
    if "micro_batch" not in changes:
        changes["micro_batch"] = min(config.micro_batch, batch)
    return replace(config, **changes)


def tell(result: RunResult, console: Console) -> None:
    """Say what a run came to; a loss that is not finite is null."""
    for name, reason in result.off.items():
        console.warn(f"the {name} loss was off: {reason}")
    payload = {
        "checkpoint": str(result.checkpoint),
        "steps": result.steps,
        "losses": {n: v if math.isfinite(v) else None for n, v in result.losses.items()},
        "losses_off": dict(result.off),
        "skipped": result.skipped,
        "images_per_second": round(result.images_per_second, 3),
        "waiting_for_samples": round(result.waiting, 4),
    }
    console.result(payload, [f"{result.steps} steps: {result.checkpoint}"])
