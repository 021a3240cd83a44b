# SPDX-License-Identifier: Apache-2.0
"""The networks filled by the parity fixtures' weight rule, made once per test file.

Does not know tolerances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from rome_backend.models.key_map import load_network


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
