# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: pictures of driven heads beside real frames or invented ones.

Does not know how pictures are drawn or compared.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from PIL import Image

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import UsageError
from rome_backend.open_head.build import open_head
from training.checkpoint import read_checkpoint
from training.commands.choices import only
from training.data.prepare import video_files
from training.data.synthetic.sequence import SequenceMaker
from training.evaluation.lpips import installed_lpips
from training.evaluation.self_reenactment import ClipScores, evaluate_self
from training.evaluation.synthetic import evaluate_synthetic
from training.make_trainee import make_trainee
from training.trainer import trained


def add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `evaluate` to the command line."""
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
    paths = only(video_files(options.clips), options.only)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
    tools = load_tools()
    trainee = None if options.checkpoint is None else trained(options.checkpoint, tools.head)

    def seen(clip: ClipScores) -> None:
        if options.pictures is not None:
            with replacing(options.pictures / f"{clip.name}.png") as stream:
                Image.fromarray(clip.sheet).save(stream, "PNG")

    lpips = installed_lpips(AssetStore())
    result = evaluate_self(
        paths, tools, options.size, options.every, trainee, lpips, console.progress, seen
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
