# SPDX-License-Identifier: Apache-2.0
"""One step of both players: the generator on all parts of a batch, then the discriminator.

Does not know data, files or how many steps there are.

Source: rome-spec section 4 (the same batch for both, generator first; a step whose gradients are
not finite is skipped). Gradients are means over all parts and all processes, and the
discriminator's power iteration is taken once, so that a step does not depend on how its batch is
divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as distributed
from torch import nn

from training.batch import Batch
from training.config import TrainConfig
from training.objective import Objective
from training.trainee import Trainee

Optimizers = tuple[torch.optim.Optimizer, torch.optim.Optimizer]


@dataclass(frozen=True)
class StepReport:
    """losses: every active loss, not weighted, and ``total``, ``discriminator``, means over this
    process's parts; skipped: which players took no step for gradients that are not finite;
    found, wanted (N, 3, H, W): pictures of the first part."""

    losses: Mapping[str, float]
    skipped: tuple[str, ...]
    found: torch.Tensor
    wanted: torch.Tensor


def make_optimizers(trainee: Trainee, config: TrainConfig) -> Optimizers:
    """Return Adam for the generator and for the discriminator."""
    generator = torch.optim.Adam(
        trainee.generator_parameters(), lr=config.generator_rate, betas=config.betas
    )
    discriminator = torch.optim.Adam(
        trainee.discriminator.parameters(), lr=config.discriminator_rate, betas=config.betas
    )
    return generator, discriminator


def take_step(
    trainee: Trainee,
    objective: Objective,
    optimizers: Optimizers,
    parts: Sequence[Batch],
    number: int,
) -> StepReport:
    """Train both players on a batch, given in parts of one size. ``number``: of the step."""
    generator, discriminator = optimizers
    generator.zero_grad(set_to_none=True)
    sums: dict[str, float] = {}
    pictures = []
    trainee.discriminator.requires_grad_(False)
    for part in parts:
        scene = objective.scene(trainee, part, number)
        values = objective.values(scene)
        total = objective.total(values)
        (total / len(parts)).backward()
        for name, value in {**values, "total": total}.items():
            sums[name] = sums.get(name, 0.0) + value.item() / len(parts)
        pictures.append((scene.found.detach(), scene.wanted.detach()))
    trainee.discriminator.requires_grad_(True)
    skipped = [] if _finish(generator, trainee.generator_parameters()) else ["generator"]
    if objective.plays():
        sums["discriminator"] = _judge(trainee, objective, discriminator, pictures)
        if not _finish(discriminator, list(trainee.discriminator.parameters())):
            skipped.append("discriminator")
    return StepReport(sums, tuple(skipped), *pictures[0])


def _judge(
    trainee: Trainee,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    pictures: Sequence[tuple[torch.Tensor, torch.Tensor]],
) -> float:
    """Let the discriminator see all parts; return its loss."""
    optimizer.zero_grad(set_to_none=True)
    trainee.iterate_spectral_norms()
    total = 0.0
    for found, wanted in pictures:
        loss = objective.discriminator_loss(trainee, found, wanted)
        (loss / len(pictures)).backward()
        total += loss.item() / len(pictures)
    return total


def _finish(optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]) -> bool:
    """Average gradients over the processes and step; return whether they were finite."""
    kept = [each for each in parameters if each.grad is not None]
    if distributed.is_initialized() and distributed.get_world_size() > 1:
        _average(parameters)
        kept = list(parameters)
    if not all(bool(torch.isfinite(each.grad).all()) for each in kept if each.grad is not None):
        return False
    optimizer.step()
    return True


def _average(parameters: Sequence[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes; one that is missing counts as 0."""
    for each in parameters:
        if each.grad is None:
            each.grad = torch.zeros_like(each)
    flat = torch.cat([each.grad.flatten() for each in parameters if each.grad is not None])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    sizes = [each.numel() for each in parameters]
    for each, part in zip(parameters, flat.split(sizes), strict=True):
        each.grad = part.view_as(each)
