# SPDX-License-Identifier: Apache-2.0
"""The shared layers of the released networks: standardised convolutions and their blocks.

Does not know which network they make up.

Source: rome-spec section 1.1. Every convolution in front of a group norm has no bias; the 1 x 1
convolutions that end a bottleneck or a skip are plain.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import nn

STANDARDISATION_EPSILON = 1e-5
WIDTH = 4  # a bottleneck is four times as wide outside as inside
_GROUPS = 32


def standardised_weight(weight: torch.Tensor) -> torch.Tensor:
    """Return a convolution's weight (O, I, k, k), each filter with mean 0 and deviation 1.

    Each filter is centred, then divided by its unbiased standard deviation + 1e-5 (Qiao et al.
    2019, in the released form: the epsilon outside the root, no gain).
    """
    centred = weight - weight.mean(dim=(1, 2, 3), keepdim=True)
    deviation = centred.flatten(1).std(dim=1).view(-1, 1, 1, 1)
    return centred / (deviation + STANDARDISATION_EPSILON)


class WSConv2d(nn.Conv2d):
    """A convolution whose stored weight is raw and is standardised in every call."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Convolve (N, I, H, W) with the standardised weight; shapes as nn.Conv2d."""
        return self._conv_forward(values, standardised_weight(self.weight), self.bias)


def group_norm(channels: int) -> nn.GroupNorm:
    """Return the group norm of the released networks: min(32, C) groups, eps 1e-5, affine."""
    return nn.GroupNorm(min(_GROUPS, channels), channels)


class Bottleneck(nn.Module):
    """Pre-activated residual block of the texture encoder: 1 x 1, 3 x 3, 3 x 3, plain 1 x 1.

    Args:
        in_channels, out_channels: outer widths; the inner one is ``inner``.
    """

    def __init__(self, in_channels: int, out_channels: int, inner: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            group_norm(in_channels),
            nn.ReLU(inplace=True),
            WSConv2d(in_channels, inner, 1, bias=False),
            group_norm(inner),
            nn.ReLU(inplace=True),
            WSConv2d(inner, inner, 3, padding=1, bias=False),
            group_norm(inner),
            nn.ReLU(inplace=True),
            WSConv2d(inner, inner, 3, padding=1, bias=False),
            group_norm(inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, out_channels, 1, bias=False),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.main(values) + self.skip(values)


class ConvBlock(nn.Module):
    """Two standardised 3 x 3 convolutions, each with group norm and ReLU: a level of a U-Net."""

    def __init__(self, in_channels: int, inner: int, out_channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            WSConv2d(in_channels, inner, 3, padding=1, bias=False),
            group_norm(inner),
            nn.ReLU(inplace=True),
            WSConv2d(inner, out_channels, 3, padding=1, bias=False),
            group_norm(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return self.main(values)


def upsample(values: torch.Tensor, mode: str = "nearest") -> torch.Tensor:
    """Double height and width of (N, C, H, W); mode "nearest" or "bilinear" (pixel centres)."""
    if mode == "nearest":
        return functional.interpolate(values, scale_factor=2, mode="nearest")
    return functional.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)


class JoinBlock(nn.Module):
    """A ConvBlock over a lower level, doubled, and the picture kept at its own size."""

    def __init__(self, channels: int, out_channels: int, upsampling: str) -> None:
        super().__init__()
        self.main = ConvBlock(2 * channels, channels, out_channels).main
        self.upsampling = upsampling

    def forward(self, values: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) and (N, C, 2 H, 2 W) to (N, out_channels, 2 H, 2 W)."""
        return self.main(torch.cat([upsample(values, self.upsampling), skip], dim=1))
