# SPDX-License-Identifier: Apache-2.0
"""Runs a network in 8-bit integers through OpenVINO: a preview mode, for those who installed it.

Does not know which network it is or what its examples show.

Twice as fast as bfloat16 on a CPU, at a cost that is measured every time: the error against the
float32 network on the examples stands in `psnr_db`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from rome_backend.core.errors import AssetMissing, RomeError
from rome_backend.inference.precision import FastNetwork, choose_precision
from rome_backend.models.fold import folded

log = logging.getLogger(__name__)


class Int8Network(nn.Module):
    """A network in 8-bit integers, for pictures of one size; what is not a convolution may stay
    in bfloat16. Float32 goes in and comes out, on the CPU.

    Args:
        network: left as it is.
        examples: pictures (1, C, H, W) like those to come; their range of values is learned.
        threads: processor cores to use; None is what torch uses.

    Raises:
        AssetMissing 'int8_missing' without OpenVINO and NNCF; ValueError without examples, or
        with examples of different sizes.
    """

    psnr_db: float
    """Of the output over the examples, against the float32 network; the peak is its range."""

    def __init__(
        self, network: nn.Module, examples: Sequence[torch.Tensor], threads: int | None = None
    ) -> None:
        super().__init__()
        if not examples or len({tuple(each.shape) for each in examples}) != 1:
            raise ValueError("examples of one size are needed")
        self._shape = tuple(examples[0].shape)
        self._run = _compiled(folded(network), examples, threads or torch.get_num_threads())
        with torch.inference_mode():
            expected = torch.cat([network.eval()(each) for each in examples])
        self.psnr_db = psnr_db(torch.cat([self(each) for each in examples]), expected)
        log.info("%s runs in 8 bits: %.1f dB", type(network).__name__, self.psnr_db)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Run the network on float32 values of the examples' shape; float32 without gradient.

        Raises ValueError for another shape.
        """
        if tuple(values.shape) != self._shape:
            raise ValueError(f"made for {self._shape}, not {tuple(values.shape)}")
        found: np.ndarray = self._run(values.detach().contiguous().numpy())[0]
        return torch.from_numpy(np.array(found, dtype=np.float32))


def preview_network(
    network: nn.Module, examples: Sequence[torch.Tensor], least_psnr_db: float = 30.0
) -> nn.Module:
    """Return the fastest network for previews: 8-bit integers, else bfloat16 or float32.

    Says in the log, as a warning, when 8 bits are not available, cannot be had for this network
    or cost more than ``least_psnr_db`` allows.
    """
    try:
        quick = Int8Network(network, examples)
    except RomeError as error:
        log.warning("No 8-bit preview: %s", error)
        return FastNetwork(network, choose_precision())
    if quick.psnr_db < least_psnr_db:
        log.warning(
            "No 8-bit preview: %.1f dB, %.1f are the least", quick.psnr_db, least_psnr_db
        )
        return FastNetwork(network, choose_precision())
    return quick


def psnr_db(found: torch.Tensor, expected: torch.Tensor, peak: float | None = None) -> float:
    """Return the peak signal to noise ratio in dB.

    peak: 1 for pictures in [0, 1]; None takes the expected values' range.
    """
    error = float((found.double() - expected.double()).square().mean())
    if peak is None:
        peak = float(expected.max() - expected.min())
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def _compiled(network: nn.Module, examples: Sequence[torch.Tensor], threads: int) -> Any:
    """Return OpenVINO's compiled 8-bit model of a folded network."""
    try:
        import nncf
        import openvino
    except ImportError as error:
        raise AssetMissing(
            "int8_missing",
            "OpenVINO and NNCF are not installed in this environment.",
            "Install the extra named int8, or leave previews in bfloat16.",
        ) from error
    shape = list(examples[0].shape)
    model = openvino.convert_model(network, example_input=examples[0], input=shape)
    pictures = nncf.Dataset([each.numpy() for each in examples])
    small = nncf.quantize(model, pictures, subset_size=len(examples), fast_bias_correction=True)
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if choose_precision().dtype == torch.bfloat16:
        settings["INFERENCE_PRECISION_HINT"] = "bf16"
    return openvino.Core().compile_model(small, "CPU", settings)
