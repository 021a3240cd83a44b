# SPDX-License-Identifier: Apache-2.0
"""E_tex: the source picture with its matte becomes the neural texture.

Does not know where the picture comes from nor how the texture is laid out.

Source: rome-spec section 1.2. One flat sequence, no connections from encoder to decoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rome_backend.models.blocks import WIDTH, Bottleneck, group_norm


@dataclass(frozen=True)
class TextureEncoderParams:
    """Sizes of E_tex; the defaults are the released ones."""

    in_channels: int = 4
    """RGB in [0, 1] and the matte."""
    out_channels: int = 8
    """Channels of the neural texture."""
    inner: int = 64
    """Inner width of the first bottlenecks; it doubles with every halving of the picture."""
    levels: int = 4
    """Resolutions the encoder passes through, the input's included."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if min(self.in_channels, self.out_channels, self.inner, self.levels) < 1:
            raise ValueError(f"every size must be at least 1: {self}")

    @property
    def reduction(self) -> int:
        """Height and width must be multiples of this."""
        return 1 << (self.levels - 1)


class TextureEncoder(nn.Module):
    """E_tex; made by make_texture_encoder."""

    def __init__(self, layers: nn.Sequential, reduction: int) -> None:
        super().__init__()
        self.layers = layers
        self._reduction = reduction

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Map (N, 4, H, W), RGB and matte in [0, 1], to the neural texture (N, 8, H, W).

        Raises ValueError when H or W is no multiple of 8.
        """
        if picture.shape[-1] % self._reduction or picture.shape[-2] % self._reduction:
            raise ValueError(f"height and width must be multiples of {self._reduction}")
        return self.layers(picture)


def make_texture_encoder(params: TextureEncoderParams | None = None) -> TextureEncoder:
    """Return an E_tex with random weights."""
    params = params or TextureEncoderParams()
    inner = [params.inner << level for level in range(params.levels)]
    width = [WIDTH * size for size in inner]
    top = params.levels - 1
    layers: list[nn.Module] = [nn.Conv2d(params.in_channels, width[0], 7, padding=3, bias=False)]
    for level in range(params.levels):
        before = width[max(level - 1, 0)]
        layers.append(Bottleneck(before, width[level], inner[level]))
        layers.append(Bottleneck(width[level], width[level], inner[level]))
        if level < top:
            layers.append(nn.MaxPool2d(2))
    for level in range(top, -1, -1):
        layers.append(Bottleneck(width[level], width[level], inner[level]))
        layers.append(Bottleneck(width[level], width[max(level - 1, 0)], inner[level]))
        if level > 0:
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
    layers += [group_norm(width[0]), nn.ReLU(inplace=True)]
    layers.append(nn.Conv2d(width[0], params.out_channels, 1))
    return TextureEncoder(nn.Sequential(*layers), params.reduction)
