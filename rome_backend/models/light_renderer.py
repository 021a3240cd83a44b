# SPDX-License-Identifier: Apache-2.0
"""The light renderer: a small U-Net for interactive frames, instead of E_img.

Does not know what its channels mean.

Source: our own, after measurements in this project: no norm layers (they cost 17 % of a frame on
a CPU), 3 x 3 convolutions, nearest upsampling, widths that are multiples of 8; at 512 pixels it
works on 2 x 2 blocks (pixel unshuffle), which is what keeps its time near that at 256.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.models.blocks import upsample


@dataclass(frozen=True)
class LightParams:
    """Sizes of a light renderer."""

    in_channels: int = 11
    """8 of the textured head and its 3 normals, which need no harmonic encoding here."""
    out_channels: int = 4
    """RGB and mask, before the sigmoid."""
    base: int = 24
    """Width of the first level; each further one doubles it."""
    levels: int = 4
    """Resolutions, the full one included."""
    block: int = 1
    """Side of the pixel blocks it works on: 1 is every pixel, 2 a quarter of them."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if min(self.in_channels, self.out_channels, self.base, self.block) < 1:
            raise ValueError(f"every size must be at least 1: {self}")
        if self.levels < 2:
            raise ValueError(f"a U-Net has two levels at least: {self}")

    @property
    def reduction(self) -> int:
        """Number that height and width must be multiples of."""
        return self.block << (self.levels - 1)


LIGHT = LightParams()
LIGHT_BLOCKS = LightParams(block=2)
"""For 512 pixels and more: four pixels at a time."""

LIGHT_RENDERERS = {"light": LIGHT, "light-blocks": LIGHT_BLOCKS}


class LightRenderer(nn.Module):
    """A U-Net without norms and without activation at its end; made by make_light_renderer."""

    def __init__(self, params: LightParams) -> None:
        super().__init__()
        cells = params.block**2
        widths = [params.base << level for level in range(params.levels)]
        inputs = [params.in_channels * cells, *widths[:-1]]
        self.encoder = nn.ModuleList(
            _block(before, after) for before, after in zip(inputs, widths, strict=True)
        )
        self.decoder = nn.ModuleList(
            _block(widths[level] + widths[level - 1], widths[level - 1])
            for level in range(params.levels - 1, 0, -1)
        )
        self.outputs = nn.Conv2d(params.base, params.out_channels * cells, 3, padding=1)
        self.params = params

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W), without an activation.

        Raises ValueError when H or W is no multiple of params.reduction.
        """
        reduction, block = self.params.reduction, self.params.block
        if values.shape[-1] % reduction or values.shape[-2] % reduction:
            raise ValueError(f"height and width must be multiples of {reduction}")
        if block > 1:
            values = functional.pixel_unshuffle(values, block)
        skips = []
        for level, convolutions in enumerate(self.encoder):
            values = convolutions(functional.max_pool2d(values, 2) if level else values)
            skips.append(values)
        skips.pop()
        for convolutions in self.decoder:
            values = convolutions(torch.cat([upsample(values), skips.pop()], dim=1))
        values = self.outputs(values)
        return functional.pixel_shuffle(values, block) if block > 1 else values


def make_light_renderer(params: LightParams = LIGHT) -> LightRenderer:
    """Return a light renderer with random weights (He initialisation)."""
    network = LightRenderer(params)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(inplace=True),
    )
