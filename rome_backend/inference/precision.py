# SPDX-License-Identifier: Apache-2.0
"""Chooses at load time how a network runs: numbers, memory layout, folded weights.

Does not know any network or file.

What is fastest was measured in this project: weights folded, channels last, and bfloat16 where
the processor multiplies it; never float16 on a CPU, never a compiler.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from rome_backend.models.fold import folded
from rome_backend.models.quick_join import with_quick_joins

Numbers = Literal["auto", "float32", "bfloat16"]
_BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86, ARM

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Precision:
    """How a network runs."""

    dtype: torch.dtype
    """Of weights and activations; what goes in and comes out is float32 always."""
    reason: str
    """Why it was chosen, for `rome doctor`."""


def multiplies_bfloat16(device: torch.device) -> bool:
    """Return whether a device has instructions for bfloat16 (a CUDA device's driver is asked)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = torch.cpu.get_capabilities()
    return any(bool(flags.get(name, False)) for name in _BF16_FLAGS)


def choose_precision(numbers: Numbers = "auto", device: torch.device | None = None) -> Precision:
    """Return how networks run on a device (the CPU when None).

    auto: bfloat16 where the device multiplies it, else float32. A network that is numerically
    delicate (the texture encoder) must be given "float32". Raises ValueError for other words.
    """
    device = device or torch.device("cpu")
    if numbers == "float32":
        return Precision(torch.float32, "asked for")
    if numbers == "bfloat16":
        return Precision(torch.bfloat16, "asked for")
    if numbers != "auto":
        raise ValueError(f"{numbers!r} is no choice of numbers")
    if multiplies_bfloat16(device):
        return Precision(torch.bfloat16, f"this {device.type} multiplies bfloat16")
    return Precision(torch.float32, f"this {device.type} does not multiply bfloat16")


class FastNetwork(nn.Module):
    """A network prepared for inference; float32 goes in and comes out.

    Args:
        network: left as it is; a folded copy is used.
        precision: of choose_precision.
        device: where it runs; None is the CPU.
    """

    def __init__(
        self, network: nn.Module, precision: Precision, device: torch.device | None = None
    ) -> None:
        super().__init__()
        device = device or torch.device("cpu")
        quick = with_quick_joins(folded(network))
        self.network = quick.to(device=device, dtype=precision.dtype)
        _lay_out(self.network)
        self.precision = precision
        log.info("%s runs in %s: %s", type(network).__name__, precision.dtype, precision.reason)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Run the network on float32 values, pictures (N, C, H, W) or rows (..., C).

        Returns float32 of the network's shape, without gradient.
        """
        layout = torch.channels_last if values.ndim == 4 else torch.contiguous_format
        with torch.inference_mode():
            found = self.network(values.to(self.precision.dtype, memory_format=layout))
            return found.float()


def _lay_out(network: nn.Module) -> None:
    """Store the weights of convolutions channels last: what follows keeps that layout."""
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
