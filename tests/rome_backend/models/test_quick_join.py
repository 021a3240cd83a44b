# SPDX-License-Identifier: Apache-2.0
"""Joining levels with fewer multiplications: the same results, and only where it applies."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.models.blocks import JoinBlock
from rome_backend.models.fold import folded
from rome_backend.models.light_renderer import LightParams, make_light_renderer
from rome_backend.models.quick_join import QuickJoin, phase_kernels, with_quick_joins
from rome_backend.models.unet import UNetParams, make_unet

SMALL = UNetParams(5, 3, (8, 16, 32, 32))


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (6, 6)])
def test_four_small_kernels_are_one_large_one_on_doubled_pixels(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    weight, values = torch.randn(4, 3, 3, 3).double(), torch.randn(2, 3, *size).double()
    doubled = functional.interpolate(values, scale_factor=2, mode="nearest")
    expected = functional.conv2d(doubled, weight, padding=1)
    for place, kernel in enumerate(phase_kernels(weight)):
        down, right = divmod(place, 2)
        found = functional.conv2d(values, kernel, padding=1)
        found = found[:, :, down : down + size[0], right : right + size[1]]
        torch.testing.assert_close(found, expected[:, :, down::2, right::2])


def test_a_network_computes_the_same_and_stays_as_it_was() -> None:
    torch.manual_seed(1)
    network = folded(make_unet(SMALL))
    quick = with_quick_joins(network)
    assert sum(isinstance(block, QuickJoin) for block in quick.modules()) == 2
    assert not any(isinstance(block, QuickJoin) for block in network.modules())
    values = torch.randn(2, 5, 24, 16)
    with torch.no_grad():
        torch.testing.assert_close(quick(values), network(values), rtol=1e-4, atol=1e-5)


def test_the_bias_of_a_folded_block_survives() -> None:
    torch.manual_seed(2)
    block = JoinBlock(8, 4, "nearest")
    block.main[0] = nn.Conv2d(16, 8, 3, padding=1)
    values, skip = torch.randn(1, 8, 5, 4), torch.randn(1, 8, 10, 8)
    with torch.no_grad():
        torch.testing.assert_close(QuickJoin(block)(values, skip), block(values, skip))


@pytest.mark.parametrize(
    "network",
    [
        make_unet(UNetParams(5, 3, (8, 16, 16), upsampling="bilinear")),
        make_light_renderer(LightParams(in_channels=5, base=8, levels=2)),
        nn.Conv2d(5, 3, 3),
    ],
)
def test_what_has_no_such_join_is_left_alone(network: nn.Module) -> None:
    assert with_quick_joins(network) is network


def test_blocks_that_still_train_are_refused() -> None:
    with pytest.raises(ValueError, match="folded"):
        with_quick_joins(make_unet(SMALL))
