# SPDX-License-Identifier: Apache-2.0
"""Joins two levels of a U-Net with fewer multiplications, for inference.

Does not know which network it is part of.

Method (our own): a 3 x 3 convolution of a picture whose every pixel was doubled sees each small
pixel up to four times. Summing the weights that meet the same pixel leaves, for each of the four
places in a doubled pixel, a 2 x 2 convolution of the small picture: 4 products instead of 9. The
result is the same to rounding.
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.models.blocks import JoinBlock, WSConv2d

_Network = TypeVar("_Network", bound=nn.Module)


def with_quick_joins(network: _Network) -> _Network:
    """Return a folded network in which every JoinBlock of nearest pixels is a QuickJoin.

    What has none is returned as it is; the network given is left as it was.
    """
    blocks = [block for block in network.modules() if isinstance(block, JoinBlock)]
    if not any(block.upsampling == "nearest" for block in blocks):
        return network
    result = copy.deepcopy(network)
    for parent in list(result.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, JoinBlock) and child.upsampling == "nearest":
                setattr(parent, name, QuickJoin(child))
    return result


class QuickJoin(nn.Module):
    """What a folded JoinBlock computes; not for training.

    Raises ValueError for a block that was not folded.
    """

    def __init__(self, block: JoinBlock) -> None:
        super().__init__()
        first = block.main[0]
        if isinstance(first, WSConv2d) or not isinstance(first, nn.Conv2d):
            raise ValueError("only folded blocks can be made quicker")
        half = first.in_channels // 2
        weight = first.weight.detach()
        self.skip = nn.Parameter(weight[:, half:].clone(), requires_grad=False)
        kernels = phase_kernels(weight[:, :half])
        self.phases = nn.ParameterList(nn.Parameter(each, requires_grad=False) for each in kernels)
        self.bias = first.bias
        self.rest = block.main[1:]

    def forward(self, values: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) and (N, C, 2 H, 2 W) to (N, out_channels, 2 H, 2 W)."""
        height, width = values.shape[-2:]
        found = functional.conv2d(skip, self.skip, self.bias, padding=1)
        for place, kernel in enumerate(self.phases):
            down, right = divmod(place, 2)
            part = functional.conv2d(values, kernel, padding=1)
            part = part[:, :, down : down + height, right : right + width]
            found[:, :, down::2, right::2] += part
        return self.rest(found)


def phase_kernels(weight: torch.Tensor) -> list[torch.Tensor]:
    """Return kernels (O, I, 2, 2) for the upper left, upper right, lower left and lower right
    pixel of a doubled one, of a kernel (O, I, 3, 3) on the doubled picture."""
    upper, middle, lower = weight.unbind(2)
    kernels = []
    for pair in ((upper, middle + lower), (upper + middle, lower)):
        rows = torch.stack(pair, dim=2)
        left, centre, right = rows.unbind(3)
        kernels.append(torch.stack([left, centre + right], dim=3))
        kernels.append(torch.stack([left + centre, right], dim=3))
    return kernels
