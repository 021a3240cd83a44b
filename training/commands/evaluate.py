# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: pictures of driven heads beside real frames, other people's frames or invented ones.

Does not know how pictures are drawn or compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import UsageError
from rome_backend.core.types import U8
from rome_backend.open_head.build import open_head
from training.checkpoint import read_checkpoint
from training.commands.choices import only
from training.data.prepare import video_files
from training.data.synthetic.sequence import SequenceMaker
from training.evaluation.cross_reenactment import PairScores, evaluate_cross
from training.evaluation.judges import installed_judges
from training.evaluation.self_reenactment import ClipScores, evaluate_self
from training.evaluation.synthetic import evaluate_synthetic
from training.evaluation.tables import table
from training.make_trainee import make_trainee
from training.trainer import trained


def add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `evaluate` to the command line."""
    judged = commands.add_parser(
        "evaluate", parents=[shared], help="compare pictures of driven heads with real frames"
    )
    judged.add_argument(
        "--protocol", choices=list(_PROTOCOLS), default="self",
        help="clips driven by themselves or by each other, or invented people of another seed",
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
    """Judge by the protocol that was asked for.

    Raises UsageError (`usage`, `no_clips`), PhotoRefused and FileInvalid.
    """
    return _PROTOCOLS[options.protocol](options, console)


def _evaluate_clips(options: argparse.Namespace, console: Console) -> int:
    """Compare the textured mesh, the warped source and networks with the frames of clips."""
    if options.every < 1 or options.clips is None:
        raise _usage("Name a folder of clips, and take at least each frame.")
    paths = only(video_files(options.clips), options.only)
    crossing = options.protocol == "cross"
    if crossing and len(paths) < 2:
        raise _usage("People are driven by each other: two clips at least.")
    tools = load_tools()
    trainee = None if options.checkpoint is None else trained(options.checkpoint, tools.head)

    def seen(clip: ClipScores | PairScores) -> None:
        name = clip.name if isinstance(clip, ClipScores) else f"{clip.source} by {clip.driver}"
        _write_picture(options.pictures, name, clip.sheet)

    settings = (paths, tools, options.size, options.every, trainee, installed_judges(AssetStore()))
    result = (evaluate_cross if crossing else evaluate_self)(*settings, console.progress, seen)
    console.result(result, table(result["mean"]) + _omissions(result))
    return 0


def _omissions(result: dict[str, Any]) -> list[str]:
    return [f"without {name}: {why}" for name, why in result["metrics_left_out_because"].items()]


def _write_picture(folder: Path | None, name: str, sheet: U8) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / f"{name}.png") as stream:
            Image.fromarray(sheet).save(stream, "PNG")


def _usage(message: str) -> UsageError:
    return UsageError("usage", message, "See: python -m training evaluate -h")


def _evaluate_synthetic(options: argparse.Namespace, console: Console) -> int:
    """Judge a checkpoint on invented people that it was not trained on."""
    if options.checkpoint is None or options.count < 1 or options.seed < 0:
        raise _usage("Name a checkpoint, and at least one person.")
    head = open_head(cache_dir() / "heads")
    config = read_checkpoint(options.checkpoint).config
    renderers = {
        "neural": trained(options.checkpoint, head),
        "untrained": make_trainee(config.sizes, head, config.seed),
    }
    maker = SequenceMaker(head, config.sizes.side, options.seed)
    result, sheet = evaluate_synthetic(maker, head, renderers, options.count, console.progress)
    _write_picture(options.pictures, "synthetic", sheet)
    console.result({**result, "seed": options.seed}, table(result["mean"]))
    return 0


_PROTOCOLS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "self": _evaluate_clips,
    "cross": _evaluate_clips,
    "synthetic": _evaluate_synthetic,
}
