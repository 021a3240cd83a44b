# SPDX-License-Identifier: Apache-2.0
"""The networks filled by the parity fixtures' weight rule, made once per test file.

Does not know tolerances.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from rome_backend.models.key_map import load_network


@pytest.fixture(scope="session")
def shapes(parity_dir: Path) -> dict[str, dict]:
    """network -> {seed, checkpoint_prefix, shapes}."""
    return json.loads((parity_dir / "network_shapes.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def official_state(
    parity_dir: Path, shapes: dict[str, dict]
) -> Callable[[str], dict[str, torch.Tensor]]:
    """Make a network's synthetic state under its official names."""
    path = parity_dir / "parity_weights.py"
    spec = importlib.util.spec_from_file_location("parity_weights", path)
    assert spec is not None and spec.loader is not None
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)

    def make(name: str) -> dict[str, torch.Tensor]:
        filled = rule.fill_state_dict(shapes[name]["shapes"], shapes[name]["seed"])
        return {key: torch.from_numpy(array) for key, array in filled.items()}

    return make


@pytest.fixture(scope="module")
def network(official_state: Callable) -> Iterator[Callable[[str], nn.Module]]:
    """Make a network with its synthetic weights, the same module for a whole test file."""
    made: dict[str, nn.Module] = {}

    def get(name: str) -> nn.Module:
        if name not in made:
            made[name] = load_network(name, official_state(name)).requires_grad_(False)
        return made[name]

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield get
    torch.set_num_threads(threads)
