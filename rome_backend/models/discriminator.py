# SPDX-License-Identifier: Apache-2.0
"""The PatchGAN discriminator with spectral norm (training only).

Does not know losses nor which picture is real.

Source: rome-spec section 1.8; spectral norm of Miyato et al. 2018 in torch's hook form: one power
iteration in every training call, none in evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

_SLOPE = 0.2
_EPSILON = 1e-12
_GAIN = 0.02


@dataclass(frozen=True)
class DiscriminatorParams:
    """Sizes of the discriminator; the defaults are the released ones."""

    in_channels: int = 3
    """RGB."""
    widths: tuple[int, ...] = (64, 128, 256, 512)
    """Output channels of the blocks."""
    strides: tuple[int, ...] = (2, 2, 2, 1)
    """Stride of each block."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if len(self.widths) != len(self.strides) or not self.widths:
            raise ValueError("every block has a width and a stride")
        if min(self.in_channels, *self.widths, *self.strides) < 1:
            raise ValueError(f"every size must be at least 1: {self}")


@dataclass(frozen=True)
class Judgement:
    """scores (N, 1, h, w): large is real; features: the output of every block, coarser on."""

    scores: torch.Tensor
    features: tuple[torch.Tensor, ...]


class SpectralConv2d(nn.Module):
    """A convolution whose weight is divided by its largest singular value.

    State: weight_orig (O, I, k, k), bias (O,) or none, and the running singular vectors
    weight_u (O,), weight_v (I k k,).
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self._stride, self._padding = stride, kernel // 2
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        nn.init.xavier_normal_(self.weight_orig, _GAIN)
        self.bias: nn.Parameter | None
        self.register_parameter("bias", nn.Parameter(torch.zeros(outputs)) if bias else None)
        left, right = torch.randn(outputs), torch.randn(inputs * kernel * kernel)
        self.weight_u: torch.Tensor
        self.weight_v: torch.Tensor
        self.register_buffer("weight_u", _unit(left))
        self.register_buffer("weight_v", _unit(right))

    def normalised_weight(self) -> torch.Tensor:
        """Return weight_orig divided by u W v; in training mode v and u step once before."""
        matrix = self.weight_orig.flatten(1)
        if self.training:
            with torch.no_grad():
                self.weight_v.copy_(_unit(matrix.T @ self.weight_u))
                self.weight_u.copy_(_unit(matrix @ self.weight_v))
        # Cloned, so that a second training call does not change the first one's graph.
        left, right = self.weight_u.clone(), self.weight_v.clone()
        with torch.autocast(matrix.device.type, enabled=False):  # the norm stays in float32
            return self.weight_orig / torch.dot(left, matrix @ right)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Map (N, I, H, W) to (N, O, H / stride, W / stride)."""
        weight = self.normalised_weight()
        return functional.conv2d(values, weight, self.bias, self._stride, self._padding)


def _unit(vector: torch.Tensor) -> torch.Tensor:
    return functional.normalize(vector, dim=0, eps=_EPSILON)


class Discriminator(nn.Module):
    """An unconditional PatchGAN of one scale; made by make_discriminator."""

    def __init__(self, params: DiscriminatorParams) -> None:
        super().__init__()
        inputs = (params.in_channels, *params.widths[:-1])
        sizes = zip(inputs, params.widths, params.strides, strict=True)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                SpectralConv2d(before, after, 3, stride),
                nn.InstanceNorm2d(after, affine=True),
                nn.LeakyReLU(_SLOPE, inplace=True),
            )
            for before, after, stride in sizes
        )
        self.scores = SpectralConv2d(params.widths[-1], 1, 1, bias=True)

    def forward(self, picture: torch.Tensor) -> Judgement:
        """Judge pictures (N, 3, H, W), RGB in [0, 1]."""
        features, values = [], picture
        for block in self.blocks:
            values = block(values)
            features.append(values)
        return Judgement(self.scores(values), tuple(features))


def make_discriminator(params: DiscriminatorParams | None = None) -> Discriminator:
    """Return a discriminator with weights drawn as in the release (xavier normal, gain 0.02)."""
    return Discriminator(params or DiscriminatorParams())
