# SPDX-License-Identifier: Apache-2.0
"""More of few samples with photo layers: mirrored, in other colours.

Does not know networks or losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from training.batch import Batch
from training.layers import COLOUR_TILES

_GAMMA = 0.3  # spread of the logarithm of the power that colours are taken to


def augmented(batch: Batch, draws: Sequence[torch.Generator]) -> Batch:
    """Return a batch whose samples are mirrored or not, with their colours' channels exchanged and
    lighter or darker: layers and target alike. draws: a generator per sample.

    Raises ValueError for samples without layers.
    """
    if batch.layers is None:
        raise ValueError("only samples with photo layers are changed")
    rows = [_changed(batch, place, draw) for place, draw in enumerate(draws)]
    target, matte, layers = (torch.stack(parts) for parts in zip(*rows, strict=True))
    return replace(batch, target=target, target_matte=matte, layers=layers)


def _changed(
    batch: Batch, place: int, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a sample's target (3, T, T), matte (1, T, T) and layers (4, 4 H, H)."""
    assert batch.layers is not None
    order = torch.randperm(3, generator=draw)
    gamma = float(torch.exp(_GAMMA * (2 * torch.rand(1, generator=draw) - 1)))
    found = [batch.target[place][order] ** gamma, batch.target_matte[place]]
    layers = batch.layers[place].clone()
    coloured = COLOUR_TILES * layers.shape[-1]
    layers[:3, :coloured] = layers[order, :coloured] ** gamma
    found.append(layers)
    if torch.rand(1, generator=draw) < 0.5:
        found = [each.flip(-1) for each in found]
    return found[0], found[1], found[2]
