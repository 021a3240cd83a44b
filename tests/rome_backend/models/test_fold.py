# SPDX-License-Identifier: Apache-2.0
"""Folding: the same results, plain layers, and the network given stays as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rome_backend.models.blocks import WSConv2d
from rome_backend.models.camera_regressor import InvertedResidual
from rome_backend.models.fold import folded
from rome_backend.models.resnet import ResidualBlock
from rome_backend.models.unet import UNetParams, make_unet


def _worn(network: nn.Module) -> nn.Module:
    """Give every batch norm statistics and gains that matter."""
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network.eval()


def test_standardisation_folds_to_the_bit() -> None:
    network = make_unet(UNetParams(3, 2, (8, 16, 32, 32)))
    values = torch.randn(1, 3, 16, 16)
    quick = folded(network)
    assert torch.equal(quick(values), network(values))
    assert not any(isinstance(module, WSConv2d) for module in quick.modules())
    assert list(quick.state_dict()) == list(network.state_dict())


def test_strides_and_biases_survive() -> None:
    network = nn.Sequential(WSConv2d(3, 6, 3, stride=2, padding=1), nn.Conv2d(6, 4, 1))
    values = torch.randn(2, 3, 9, 9)
    assert torch.equal(folded(network)(values), network(values))


@pytest.mark.parametrize(
    "make",
    [
        lambda: ResidualBlock(16, 8, 2),
        lambda: InvertedResidual(16, 16, 1, 6),
        lambda: nn.Sequential(nn.Conv2d(16, 4, 1), nn.BatchNorm2d(4, affine=False)),
    ],
)
def test_batch_norm_folds_to_rounding(make: object) -> None:
    torch.manual_seed(1)
    network = make() if not isinstance(make(), nn.Sequential) else make().eval()
    network = _worn(network) if not isinstance(network, nn.Sequential) else network
    network = network.double()
    values = torch.randn(2, 16, 10, 10, dtype=torch.float64)
    quick = folded(network)
    assert torch.allclose(quick(values), network(values), rtol=1e-12, atol=1e-12)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())


def test_the_network_given_is_untouched_and_the_copy_not_trainable() -> None:
    network = _worn(ResidualBlock(16, 8, 2)).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    quick = folded(network)
    assert network.training and not quick.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(parameter.requires_grad for parameter in quick.parameters())
    assert isinstance(network.bn1, nn.BatchNorm2d)


def test_a_norm_that_is_not_behind_a_convolution_stays() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)).eval()
    values = torch.randn(1, 3, 5, 5)
    quick = folded(network)
    assert isinstance(quick[2], nn.BatchNorm2d)
    assert torch.equal(quick(values), network(values))


def test_a_norm_without_statistics_is_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False))
    with pytest.raises(ValueError, match="statistics"):
        folded(network)
