# SPDX-License-Identifier: Apache-2.0
"""Every network against the numbers of the official classes, plain and folded for inference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.fold import folded

TOLERANCES = {  # of the largest output, from the fixtures' README
    "G_geom": 3e-6,
    "E_geom": 3e-5,
    "E_img": 3e-5,
    "E_tex": 2e-5,
    "mobilenet_v2": 1e-5,
    "linear_resnet50": 5e-6,
    "E_flame": 5e-6,
}


def fixture_input(data: np.lib.npyio.NpzFile) -> torch.Tensor:
    if "x_u8" in data:
        return torch.from_numpy(data["x_u8"].astype(np.float32) / 255)
    return torch.from_numpy(data["x"].astype(np.float32))


@pytest.mark.parametrize("name", TOLERANCES)
def test_network_parity(parity_dir: Path, network: Callable, name: str) -> None:
    data = np.load(parity_dir / f"net_{name}.npz")
    values, expected = fixture_input(data), torch.from_numpy(data["y"])
    limit = TOLERANCES[name] * expected.abs().max()
    module = network(name)
    assert not module.training
    plain = module(values)
    assert plain.shape == expected.shape
    assert (plain - expected).abs().max() <= limit
    quick = folded(module)(values)
    assert (quick - expected).abs().max() <= limit
    if name.startswith("E_") and name != "E_flame":
        assert torch.equal(quick, plain), "folding weight standardisation must be exact"


def test_fully_convolutional_networks_take_other_sizes_parity(
    parity_dir: Path, network: Callable
) -> None:
    """A wide input works; its left part differs by what group norm sees on the right alone."""
    values = fixture_input(np.load(parity_dir / "net_E_img.npz"))
    wide = network("E_img")(values[..., :32].repeat(1, 1, 1, 3))
    assert wide.shape == (1, 4, 64, 96)
    assert torch.isfinite(wide).all()
