# SPDX-License-Identifier: Apache-2.0
"""The U-Net of the system: E_geom, E_img, and the paper's separate segmentation network.

Does not know what its channels mean.

Source: rome-spec sections 1.3 and 1.4. The released checkpoint has one U-Net for picture and
mask; the segmentation network with half the width, average pooling and bilinear upsampling is in
the paper alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.models.blocks import ConvBlock, JoinBlock


@dataclass(frozen=True)
class UNetParams:
    """Sizes of a U-Net; the defaults are E_geom's."""

    in_channels: int = 47
    """8 of the neural texture and 39 of an encoding of three coordinates."""
    out_channels: int = 32
    """32 latent channels of the geometry; RGB and mask for the picture."""
    widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    """Inner width of the first level, then the output width of every level."""
    pooling: Literal["max", "average"] = "max"
    """How the picture is halved."""
    upsampling: Literal["nearest", "bilinear"] = "nearest"
    """How it is doubled."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if min(self.in_channels, self.out_channels, *self.widths) < 1 or len(self.widths) < 3:
            raise ValueError(f"every size must be at least 1, and there must be two levels: {self}")
        if self.widths[-1] != self.widths[-2]:
            raise ValueError("the lowest level keeps the width of the one above it")
        if self.pooling not in ("max", "average") or self.upsampling not in ("nearest", "bilinear"):
            raise ValueError(f"unknown pooling or upsampling: {self}")


GEOMETRY = UNetParams()
PICTURE = UNetParams(out_channels=4)
SEGMENTATION = UNetParams(
    out_channels=1, widths=(32, 64, 128, 256, 256), pooling="average", upsampling="bilinear"
)


class UNet(nn.Module):
    """A U-Net without activation at its end; made by make_unet."""

    def __init__(self, params: UNetParams) -> None:
        super().__init__()
        inner, outer = params.widths[:-1], params.widths[1:]
        inputs = (params.in_channels, *outer[:-1])
        self.encoder = nn.ModuleList(
            ConvBlock(before, middle, after)
            for before, middle, after in zip(inputs, inner, outer, strict=True)
        )
        levels = list(pairwise(reversed(params.widths[:-1])))
        self.decoder = nn.ModuleList(
            JoinBlock(upper, lower, params.upsampling) for upper, lower in levels
        )
        self.outputs = nn.Conv2d(params.widths[0], params.out_channels, 1)
        self._average = params.pooling == "average"

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W), without an activation.

        Raises ValueError when H or W is no multiple of 8 (of the levels' reduction).
        """
        reduction = 1 << (len(self.encoder) - 1)
        if values.shape[-1] % reduction or values.shape[-2] % reduction:
            raise ValueError(f"height and width must be multiples of {reduction}")
        skips = []
        for number, block in enumerate(self.encoder):
            values = block(values)
            if number < len(self.decoder):
                skips.append(values)
                pool = functional.avg_pool2d if self._average else functional.max_pool2d
                values = pool(values, 2)
        for block in self.decoder:
            values = block(values, skips.pop())
        return self.outputs(values)


def make_unet(params: UNetParams = GEOMETRY) -> UNet:
    """Return a U-Net with random weights: GEOMETRY, PICTURE, SEGMENTATION or one's own sizes."""
    return UNet(params)
