# SPDX-License-Identifier: Apache-2.0
"""`evaluate`: pictures of driven heads beside real frames, other people's frames or invented ones.

Does not know how pictures are drawn or compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.avatar.create import load_tools
from rome_backend.commands.console import Console
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import UsageError
from rome_backend.core.types import U8, HeadModel
from rome_backend.open_head.build import open_head
from training.checkpoint import read_checkpoint
from training.commands.choices import only
from training.config import named_config
from training.data.prepare import video_files
from training.data.synthetic.reenacted import ReenactedMaker
from training.data.synthetic.sequence import SequenceMaker
from training.evaluation.cross_reenactment import PairScores, evaluate_cross
from training.evaluation.geometry import evaluate_geometry
from training.evaluation.judges import installed_judges
from training.evaluation.other_meshes import other_meshes
from training.evaluation.other_pictures import other_pictures
from training.evaluation.reenacted import evaluate_reenacted
from training.evaluation.self_reenactment import ClipScores, evaluate_self
from training.evaluation.synthetic import evaluate_synthetic
from training.evaluation.tables import table
from training.make_trainee import default_trainee, make_trainee
from training.trainee import Trainee
from training.trainer import trained


def add_evaluate(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `evaluate` to the command line."""
    judged = commands.add_parser(
        "evaluate", parents=[shared], help="compare pictures of driven heads with real frames"
    )
    judged.add_argument(
        "--protocol", choices=list(_PROTOCOLS), default="self",
        help="clips driven by themselves or by each other, invented people of another seed, scans",
    )  # fmt: skip
    judged.add_argument("--clips", type=Path, help="folder of clips")
    judged.add_argument("--scans", type=Path, help="folder of head scans, for geometry")
    judged.add_argument(
        "--others", action="append", default=[], metavar="NAME=FOLDER",
        help="results of another program, to stand beside ours",
    )  # fmt: skip
    judged.add_argument(
        "--inputs", type=Path, help="folder for the frames that other programs are to be given"
    )
    judged.add_argument("-n", "--count", type=int, default=32, help="invented people (32)")
    judged.add_argument("--seed", type=int, default=1, help="of invented people (1)")
    judged.add_argument("--only", help="names of clips, or their beginnings, with commas")
    judged.add_argument("--size", type=int, choices=[256, 512], default=256, help="px (256)")
    judged.add_argument("--every", type=int, default=10, help="take each n-th frame (10)")
    judged.add_argument(
        "--checkpoint", type=Path, action="append", default=[],
        help="networks to judge too; several stand side by side by their configurations' names",
    )  # fmt: skip
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
    trainees = _trainees(options.checkpoint, tools.head)

    def seen(clip: ClipScores | PairScores) -> None:
        name = clip.name if isinstance(clip, ClipScores) else f"{clip.source} by {clip.driver}"
        _write_picture(options.pictures, name, clip.sheet)

    result = (evaluate_cross if crossing else evaluate_self)(
        paths, tools, options.size, options.every, trainees, installed_judges(AssetStore()),
        console.progress, seen, other_pictures(_others(options)), options.inputs,
    )  # fmt: skip
    console.result(result, table(result["mean"]) + _omissions(result))
    return 0


def _evaluate_geometry(options: argparse.Namespace, console: Console) -> int:
    """Hold the average head, ours and other programs' against scans."""
    if options.scans is None:
        raise _usage("Name a folder of scans.")
    others = other_meshes(_others(options))
    others = other_meshes(_others(options))
    names = options.only.split(",") if options.only else []
    result = evaluate_geometry(options.scans, load_tools(), others, names, console.progress)
    missing = [
        f"{row['name']}: no {name}: {why}"
        for row in result["heads"]
        for name, why in row["missing"].items()
    ]
    console.result(result, table(result["mean"]) + missing)
    return 0


def _others(options: argparse.Namespace) -> dict[str, Path]:
    """Return the folders of other programs' results by name.

    Raises UsageError (`usage`, `no_outputs`).
    """
    pairs = [text.partition("=") for text in options.others]
    if not all(name and folder for name, _, folder in pairs):
        raise _usage("Others are given as NAME=FOLDER.")
    for name, _, folder in pairs:
        if not Path(folder).is_dir():
            raise UsageError(
                "no_outputs", f"There is no folder {folder!r} of {name}'s results.",
                "Give --others NAME=FOLDER.",
            )  # fmt: skip
    return {name: Path(folder) for name, _, folder in pairs}


def _trainees(paths: Sequence[Path], head: HeadModel) -> dict[str, Trainee]:
    """Return the networks of checkpoints: `neural`, or several by their configurations' names.

    Raises UsageError (`usage`) where two have one name, FileInvalid (`checkpoint_invalid`).
    """
    names = [read_checkpoint(path).config.name for path in paths] if len(paths) > 1 else ["neural"]
    if len(set(names)) < len(paths):
        raise _usage(f"Two checkpoints are of one configuration: {', '.join(names)}.")
    return {name: trained(path, head) for name, path in zip(names, paths, strict=False)}


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
    """Judge a checkpoint, or the default networks, on invented people of another seed."""
    if options.count < 1 or options.seed < 0:
        raise _usage("At least one person, and a seed from 0 on.")
    head = open_head(cache_dir() / "heads")
    chosen = options.checkpoint
    config = read_checkpoint(chosen[0]).config if chosen else named_config("light")
    renderers = _trainees(chosen, head) if chosen else {"neural": default_trainee(head)}
    renderers["untrained"] = make_trainee(config.sizes, head, config.seed)
    side, count = config.sizes.side, options.count
    if config.sizes.start == "photo":
        seen = ReenactedMaker(load_tools(), side, options.seed)
        result, sheet = evaluate_reenacted(seen.make, renderers, count, console.progress)
    else:
        maker = SequenceMaker(head, side, options.seed)
        result, sheet = evaluate_synthetic(maker, head, renderers, count, console.progress)
    _write_picture(options.pictures, "synthetic", sheet)
    console.result({**result, "seed": options.seed}, table(result["mean"]))
    return 0


_PROTOCOLS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "self": _evaluate_clips,
    "cross": _evaluate_clips,
    "synthetic": _evaluate_synthetic,
    "geometry": _evaluate_geometry,
}
