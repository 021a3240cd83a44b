# SPDX-License-Identifier: Apache-2.0
"""HyperIQA: published names, and the network that is made against a plain one with its weights."""

from __future__ import annotations

import pytest
import torch

from rome_backend.assets.network_shapes_more import hyperiqa
from rome_backend.models.quality_network import SIDE, QualityNetwork


@pytest.fixture(scope="module")
def network() -> QualityNetwork:
    torch.manual_seed(0)
    return QualityNetwork().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_names_and_shapes_are_the_published_ones(network: QualityNetwork) -> None:
    found = {
        name: tuple(value.shape)
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert found == hyperiqa()


def test_each_picture_is_judged_by_a_network_of_its_own(
    network: QualityNetwork, pictures: torch.Tensor
) -> None:
    """Written again for one picture, with plain matrices; weights come from its own features."""
    together = network(pictures)
    assert together.shape == (2,)
    for picture, score in zip(pictures, together, strict=True):
        mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
        spread = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
        features, values = network.res.both(((picture - mean) / spread)[None])
        assert features.shape == (1, 2048, 7, 7) and values.shape == (1, 224)
        grid = network.conv1(features)[0]
        pooled = grid.flatten(1).mean(1)
        own = values[0]
        for number, width in enumerate((112, 56, 28, 14), 1):
            kernels = network.get_submodule(f"fc{number}w_conv")(grid[None])
            matrix = kernels.reshape(width, len(own))
            own = torch.sigmoid(matrix @ own + network.get_submodule(f"fc{number}b_fc")(pooled))
        wanted = network.fc5w_fc(pooled) @ own + network.fc5b_fc(pooled)[0]
        assert score == pytest.approx(float(wanted), abs=1e-4)


def test_values_of_every_stage_count(network: QualityNetwork, pictures: torch.Tensor) -> None:
    """Three local vectors of 16 and one of the last stage make what is judged."""
    _, before = network.res.both(pictures)
    for number, (first, last) in enumerate(((0, 16), (16, 32), (32, 48), (48, 224)), 1):
        layer = network.res.get_submodule(f"lda{number}_fc")
        layer.bias += 1
        _, after = network.res.both(pictures)
        layer.bias -= 1
        moved = (after - before).abs().max(0).values > 0.5
        assert moved.nonzero()[:, 0].tolist() == list(range(first, last))
