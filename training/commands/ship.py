# SPDX-License-Identifier: Apache-2.0
"""`ship`: a trained network as the program's own default weights, with the card that says how.

Does not know how it was trained or judged.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rome_backend.assets.store import cache_dir
from rome_backend.avatar.photo_weights import DEFAULT, save_photo_mender
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.models.light_renderer import LightRenderer
from rome_backend.open_head.build import open_head
from training.checkpoint import read_checkpoint
from training.config import config_as_dict
from training.photo_trainee import PhotoTrainee
from training.trainer import trained

_MEASURES = ("protocol", "size", "every", "clips", "by_yaw", "mean", "metrics_left_out")


def add_ship(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `ship` to the command line."""
    made = commands.add_parser(
        "ship", parents=[shared], help="make a checkpoint of `light` the program's default weights"
    )
    made.add_argument("checkpoint", type=Path)
    made.add_argument("-o", "--output", type=Path, default=DEFAULT, help="the weights' file")
    made.add_argument(
        "--measures", type=Path, action="append", default=[],
        help="what `evaluate --protocol self --json` said of it; one per size",
    )  # fmt: skip
    made.add_argument("--code", default="", help="commit of the code that trained it")
    made.set_defaults(run=ship)


def ship(options: argparse.Namespace, console: Console) -> int:
    """Write a checkpoint's averaged network and its card.

    Raises UsageError (`not_light`, `measures_unreadable`) and FileInvalid.
    """
    head = open_head(cache_dir() / "heads")
    trainee = trained(options.checkpoint, head)
    if not isinstance(trainee, PhotoTrainee):
        raise UsageError(
            "not_light", "Only networks of the configuration `light` are shipped.",
            "Train one: python -m training train SHARDS -o RUN --config light --steps N",
        )  # fmt: skip
    checkpoint = read_checkpoint(options.checkpoint)
    card = {
        "licence": "Apache-2.0",
        "trained_on": "invented people alone; no photo, scan or clip of a person",
        "code": options.code,
        "steps": checkpoint.step,
        "data": checkpoint.facts.get("run"),
        "config": config_as_dict(checkpoint.config),
        "commands": _commands(checkpoint.facts.get("run"), checkpoint.step, checkpoint.config.seed),
        "measures": [_measures(path) for path in options.measures],
    }
    network = trainee.parts["mender"]
    assert isinstance(network, LightRenderer)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    save_photo_mender(network, options.output, card)
    console.result({"outputs": [str(options.output)]}, [f"wrote {options.output}"])
    return 0


def _commands(data: Any, steps: int, seed: int) -> list[str]:
    settings = data["settings"]
    return [
        f"python -m training synthesize -n {data['samples']} --side {settings['side']}"
        f" --seed {settings['seed']} --layers -o SHARDS",
        f"python -m training train SHARDS -o RUN --config light --steps {steps} --seed {seed}",
    ]


def _measures(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {name: found[name] for name in _MEASURES if name in found}
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            "measures_unreadable", f"{path.name!r} is no result of evaluate.",
            "Write one: python -m training evaluate --clips FOLDER --json",
        ) from error  # fmt: skip
