# SPDX-License-Identifier: Apache-2.0
"""Makes a network faster for inference without changing what it computes.

Does not know any network: it works on the layers. A folded network is not for training.

Standardised weights are computed once (same tensor, same result to the bit). Batch norm in
evaluation mode is an affine map and goes into the convolution before it (same result to rounding).
"""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

from rome_backend.models.blocks import WSConv2d, standardised_weight

_Network = TypeVar("_Network", bound=nn.Module)


def folded(network: _Network) -> _Network:
    """Return a copy for inference, in evaluation mode and without gradients.

    Every WSConv2d becomes a plain convolution; every BatchNorm2d that is registered right after
    a convolution of the same parent becomes part of it. The network given is left as it was.
    """
    result = copy.deepcopy(network).eval().requires_grad_(False)
    for parent in list(result.modules()):
        _fold_standardisation(parent)
        _fold_batch_norm(parent)
    return result


def _fold_standardisation(parent: nn.Module) -> None:
    for name, child in list(parent.named_children()):
        if isinstance(child, WSConv2d):
            setattr(parent, name, _plain(child, standardised_weight(child.weight), child.bias))


def _fold_batch_norm(parent: nn.Module) -> None:
    children = list(parent.named_children())
    for (name, conv), (norm_name, norm) in zip(children, children[1:], strict=False):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(parent, name, _with_batch_norm(conv, norm))
            setattr(parent, norm_name, nn.Identity())


def _with_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Return the convolution followed by the norm's affine map, computed in float64."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    gain = (norm.running_var.double() + norm.eps).rsqrt()
    gain = gain if norm.weight is None else gain * norm.weight.double()
    bias = -norm.running_mean.double()
    bias = (bias if conv.bias is None else bias + conv.bias.double()) * gain
    bias = bias if norm.bias is None else bias + norm.bias.double()
    weight = conv.weight.double() * gain.view(-1, 1, 1, 1)
    return _plain(conv, weight.to(conv.weight.dtype), bias.to(conv.weight.dtype))


def _plain(conv: nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Conv2d:
    """Return a plain convolution of the same geometry with other weights, without gradients."""
    with torch.device("meta"):
        result = nn.Conv2d(
            conv.in_channels,
            conv.out_channels,
            (conv.kernel_size[0], conv.kernel_size[1]),
            (conv.stride[0], conv.stride[1]),
            conv.padding if isinstance(conv.padding, str) else (conv.padding[0], conv.padding[1]),
            groups=conv.groups,
            bias=False,
        )
    result.weight = nn.Parameter(weight.detach(), requires_grad=False)
    if bias is not None:
        result.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return result.eval()
