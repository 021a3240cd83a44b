# SPDX-License-Identifier: Apache-2.0
"""G_geom: the latent vector of every vertex becomes its offset before tanh.

Does not know vertices, masks or normals.

Source: rome-spec section 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class OffsetsParams:
    """Sizes of G_geom; the defaults are the released ones."""

    in_channels: int = 58
    """32 sampled latents and 26 of the encoded uv."""
    width: int = 256
    """Units of every hidden layer."""
    out_channels: int = 3
    """One factor per coordinate of the vertex normal."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if min(self.in_channels, self.width, self.out_channels) < 1:
            raise ValueError(f"every size must be at least 1: {self}")


class OffsetsNet(nn.Module):
    """Eight linear layers; the input enters again in the middle. Made by make_offsets_net."""

    def __init__(self, params: OffsetsParams) -> None:
        super().__init__()
        width = params.width
        self.first = _hidden(params.in_channels, width, 4)
        self.second = _hidden(params.in_channels + width, width, 4)
        self.second.append(nn.Linear(width, params.out_channels, bias=False))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Map rows (..., 58) to (..., 3), without an activation."""
        return self.second(torch.cat([rows, self.first(rows)], dim=-1))


def _hidden(in_channels: int, width: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(count):
        layers.append(nn.Linear(width if number else in_channels, width))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def make_offsets_net(params: OffsetsParams | None = None) -> OffsetsNet:
    """Return a G_geom with random weights."""
    return OffsetsNet(params or OffsetsParams())
