# SPDX-License-Identifier: Apache-2.0
"""Inception: its state's names, its features held against another implementation once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.assets.network_shapes_inception import inception
from training.evaluation.inception import Inception

WANTED = {8: 0.15538, 435: 0.13848, 668: 0.12309, 911: 0.15648, 1168: 0.21208, 1457: 0.11888,
          1755: 0.16179}  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Inception:
    """Weights that follow from a tensor's place and size alone."""
    made = Inception()
    for place, tensor in enumerate(made.state_dict().values()):
        if tensor.ndim:
            steps = torch.arange(tensor.numel(), dtype=torch.float64)
            wave = torch.sin(0.37 * steps + place)
            size = np.sqrt(3 / tensor[0].numel()) if tensor.ndim == 4 else 0.2
            values = 1 + size * wave if tensor.ndim == 1 else size * wave
            tensor.copy_(values.reshape(tensor.shape))
    return made


def picture(height: int, width: int) -> torch.Tensor:
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = [torch.sin(0.05 * row + 0.02 * k * column + k) for k in range(3)]
    return (0.5 + 0.5 * torch.stack(waves)[None]).float()


def test_the_state_is_that_of_the_published_file(network: Inception) -> None:
    found = {
        name: tuple(value.shape)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert found == inception()
    assert not any(value.requires_grad for value in network.parameters())


def test_features_are_those_of_another_implementation(network: Inception) -> None:
    """The numbers are torchvision's Inception3 with the three changes that the module names."""
    with torch.no_grad():
        found = network(picture(299, 299))[0].numpy()
    assert found.shape == (2048,) and found.min() >= 0
    assert found[list(WANTED)] == pytest.approx(np.array(list(WANTED.values())), rel=2e-3)
    assert found.mean() == pytest.approx(0.0516706, rel=1e-3)


def test_pictures_of_any_size_are_brought_to_its_own(network: Inception) -> None:
    with torch.no_grad():
        large, small, other = (
            network(each) for each in (picture(299, 299), picture(64, 80), 1 - picture(64, 80))
        )
    assert small.shape == large.shape == (1, 2048)
    assert not torch.allclose(small, other, rtol=1e-3)
