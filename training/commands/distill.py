# SPDX-License-Identifier: Apache-2.0
"""`distill`: the paper's linear model of people whose offsets are known.

Does not know how it is fitted or trained.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rome_backend.avatar.heads import load_head
from rome_backend.commands.console import Console
from rome_backend.core.errors import UsageError
from rome_backend.core.types import F32, HeadModel
from training.commands.choices import check_head, check_side
from training.data.shards import ShardSet
from training.distill.basis import fit_basis
from training.distill.people import Example, examples_of_avatars, examples_of_samples
from training.distill.regressor import DistillOptions, errors_mm, train_regressor
from training.distill.release import write_linear_model
from training.trainee import RomeTrainee
from training.trainer import trained

_MANIFEST = "manifest.json"


def add_distill(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add `distill` to the command line."""
    made = commands.add_parser(
        "distill", parents=[shared], help="linear offset model of many people, and its regressor"
    )
    made.add_argument("people", type=Path, help="folder of shards, or of .rome avatars")
    made.add_argument("-o", "--output", type=Path, required=True, help="folder of the model")
    made.add_argument("--head", default="open", help="head model of avatars (open)")
    made.add_argument("--teacher", type=Path, help="checkpoint that sees the offsets of samples")
    made.add_argument("--held-out", type=int, default=0, help="last people, judged only (0)")
    made.add_argument("--side", type=int, default=256, help="px of avatars' aligned photos (256)")
    made.add_argument("--steps", type=int, default=2000, help="of the regressor (2000)")
    made.add_argument("--batch", type=int, default=8, help="people per step (8)")
    made.add_argument("--rate", type=float, default=1e-4, help="Adam's (1e-4)")
    made.add_argument("--seed", type=int, default=0, help="of weights and order (0)")
    made.set_defaults(run=distill)


def distill(options: argparse.Namespace, console: Console) -> int:
    """Fit the basis, train the regressor, write both in the released layout with a card.

    Raises UsageError (`usage`, `no_avatars`), FileInvalid (`no_offsets`, `shards_invalid`,
    `checkpoint_invalid`) and RomeError (`training_diverged`).
    """
    check_side(options)
    try:
        settings = DistillOptions(options.steps, options.batch, options.rate, options.seed)
    except ValueError as error:
        raise UsageError("usage", f"{error}.", "See: python -m training distill -h") from error
    head = load_head(options.head)[0]
    people = _people(options, head)
    count = len(people) - options.held_out
    if options.held_out < 0 or count < 2:
        raise UsageError(
            "usage", f"Of {len(people)} people at least two must be left to learn from.",
            "Make more, or hold fewer out.",
        )  # fmt: skip
    basis = fit_basis(_stack(people[:count]), head)

    def told(step: int, losses: Mapping[str, float]) -> None:
        console.progress("training", step / settings.steps)

    network, losses = train_regressor(people[:count], basis, head, settings, told)
    result = {
        "people": count,
        "held_out": options.held_out,
        "losses": {name: round(value, 6) for name, value in losses.items()},
        "error_mm": errors_mm(network, basis, people[:count], head),
        "held_out_error_mm": errors_mm(network, basis, people[count:], head),
    }
    facts = {
        "head_model": head.name, "topology_id": head.topology_id, **vars(settings),
        "side": int(people[0].source.shape[-1]), "teacher": options.teacher is not None,
    }  # fmt: skip
    card = write_linear_model(options.output, network, basis, {**facts, **result})
    console.result({"card": str(card), **result}, [f"linear model of {count} people: {card}"])
    return 0


def _stack(people: list[Example]) -> F32:
    return np.stack([each.offsets for each in people])


def _people(options: argparse.Namespace, head: HeadModel) -> list[Example]:
    if not (options.people / _MANIFEST).is_file():
        return list(examples_of_avatars(options.people, head, options.side))
    teacher = None
    if options.teacher is not None:
        found = trained(options.teacher, head)
        if not isinstance(found, RomeTrainee):
            raise UsageError(
                "usage", "These networks see no offsets.", "Name a checkpoint of others."
            )
        teacher = found
    shards = ShardSet(options.people)
    check_head(shards.manifest["settings"], head)
    return list(examples_of_samples(shards, teacher))
