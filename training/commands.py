# SPDX-License-Identifier: Apache-2.0
"""The commands of ``python -m training``: what they are given, what they run, what they say.

Does not know how anything is made or trained.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.open_head.build import open_head
from rome_backend.render.device import torch_device
from training.checkpoint import read_checkpoint
from training.config import TrainConfig, named_config
from training.data.shards import ShardSet, StoredSample, write_shards
from training.data.synthetic.sequence import VERSION, SequenceMaker, with_texture
from training.evaluation.self_reenactment import ClipScores, clip_files, evaluate_self
from training.evaluation.synthetic import evaluate_synthetic, texture_side
from training.losses.networks import loss_networks
from training.make_trainee import make_trainee
from training.processes import joined
from training.trainer import RunOptions, RunResult, train, trained

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
    made.add_argument(
        "--texture", action="store_true", help="with the baked texture that `light` starts from"
    )
    made.add_argument("--per-shard", type=int, default=16, help="sequences in a shard (16)")
    made.set_defaults(run=synthesize)
    _add_train(commands, shared)
    _add_evaluate(commands, shared)
    return parser


def _add_train(commands: Any, shared: argparse.ArgumentParser) -> None:
    run = commands.add_parser(
        "train", parents=[shared], help="train on shards, from the last checkpoint on"
    )
    run.add_argument("shards", type=Path, help="folder of shards")
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


def _add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> None:
    judged = commands.add_parser(
        "evaluate", parents=[shared], help="compare pictures of driven heads with real frames"
    )
    judged.add_argument(
        "--protocol", choices=["self", "synthetic"], default="self",
        help="self-reenactment of clips, or invented people of another seed",
    )  # fmt: skip
    judged.add_argument("--clips", type=Path, help="folder of clips")
    judged.add_argument("-n", "--count", type=int, default=32, help="invented people (32)")
    judged.add_argument("--seed", type=int, default=1, help="of invented people (1)")
    judged.add_argument("--only", help="names of clips, or their beginnings, with commas")
    judged.add_argument("--size", type=int, choices=[256, 512], default=256, help="px (256)")
    judged.add_argument("--every", type=int, default=10, help="take each n-th frame (10)")
    judged.add_argument("--checkpoint", type=Path, help="networks to judge too")
    judged.add_argument("--pictures", type=Path, help="folder for a picture per clip")
    judged.set_defaults(run=evaluate)


def evaluate(options: argparse.Namespace, console: Console) -> int:
    """Compare the textured mesh, the warped source and networks with the frames of clips.

    Raises UsageError (`usage`, `no_clips`), PhotoRefused and FileInvalid.
    """
    if options.protocol == "synthetic":
        return _evaluate_synthetic(options, console)
    if options.every < 1 or options.clips is None:
        raise UsageError(
            "usage", "Name a folder of clips, and take at least each frame.",
            "See: python -m training evaluate -h",
        )  # fmt: skip
    paths = clip_files(options.clips)
    if options.only:
        starts = tuple(options.only.split(","))
        paths = [path for path in paths if path.stem.startswith(starts)]
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    tools = load_tools()
    trainee = None if options.checkpoint is None else trained(options.checkpoint, tools.head)

    def seen(clip: ClipScores) -> None:
        if options.pictures is not None:
            with replacing(options.pictures / f"{clip.name}.png") as stream:
                Image.fromarray(clip.sheet).save(stream, "PNG")

    result = evaluate_self(
        paths, tools, options.size, options.every, trainee, console.progress, seen
    )
    lines = [f"{name}: {scores}" for name, scores in result["mean"].items()]
    console.result(result, lines)
    return 0


def _evaluate_synthetic(options: argparse.Namespace, console: Console) -> int:
    """Judge a checkpoint on invented people that it was not trained on."""
    if options.checkpoint is None or options.count < 1 or options.seed < 0:
        raise UsageError(
            "usage", "Name a checkpoint, and at least one person.",
            "See: python -m training evaluate -h",
        )  # fmt: skip
    head = open_head(cache_dir() / "heads")
    config = read_checkpoint(options.checkpoint).config
    renderers = {
        "neural": trained(options.checkpoint, head),
        "untrained": make_trainee(config.sizes, head, config.seed),
    }
    maker = SequenceMaker(head, config.sizes.side, options.seed)
    result, sheet = evaluate_synthetic(maker, head, renderers, options.count, console.progress)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        with replacing(options.pictures / "synthetic.png") as stream:
            Image.fromarray(sheet).save(stream, "PNG")
    lines = [f"{name}: {scores}" for name, scores in result["mean"].items()]
    console.result({**result, "seed": options.seed}, lines)
    return 0


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


def train_networks(options: argparse.Namespace, console: Console) -> int:
    """Train on shards; under torchrun all processes share each batch, and the first one speaks.

    Raises UsageError (`usage`, `unknown_config`, `other_run`, `no_samples`), FileInvalid
    (`shards_invalid`, `shards_of_another_head`, `checkpoint_invalid`) and RomeError.
    """
    shards = ShardSet(options.shards)
    settings = shards.manifest["settings"]
    try:
        config = _config(options, settings)
        run = RunOptions(
            options.output, options.steps, options.checkpoint_every, options.checkpoint_every,
            facts={"samples": len(shards), "settings": settings},
        )  # fmt: skip
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training train -h") from error
    head = open_head(cache_dir() / "heads")
    if settings.get("topology_id") != head.topology_id:
        raise FileInvalid(
            "shards_of_another_head", "These shards belong to another head model.",
            "Make the shards again.",
        )  # fmt: skip
    with joined(torch_device(options.device)) as processes:
        networks = loss_networks(AssetStore(), processes.device)

        def told(done: int, steps: int, losses: Mapping[str, float]) -> None:
            if processes.first:
                console.progress(f"training, loss {losses['total']:.4g}", done / steps)

        result = train(config, head, shards, run, networks, processes, told)
        if processes.first:
            _tell(result, console)
    return 0


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


def _tell(result: RunResult, console: Console) -> None:
    for name, reason in result.off.items():
        console.warn(f"the {name} loss was off: {reason}")
    payload = {
        "checkpoint": str(result.checkpoint),
        "steps": result.steps,
        "losses": dict(result.losses),
        "losses_off": dict(result.off),
        "skipped": result.skipped,
        "images_per_second": round(result.images_per_second, 3),
        "waiting_for_samples": round(result.waiting, 4),
    }
    console.result(payload, [f"{result.steps} steps: {result.checkpoint}"])


def _check_sizes(options: argparse.Namespace) -> None:
    sizes: Sequence[Any] = (options.count, options.per_shard, options.side)
    if min(sizes) < 1 or options.side > _LARGEST_SIDE or options.side % 2 or options.seed < 0:
        raise UsageError(
            "usage",
            "Counts are at least 1, the seed at least 0, "
            f"the side an even number up to {_LARGEST_SIDE}.",
            "See: python -m training synthesize -h",
        )
