# SPDX-License-Identifier: Apache-2.0
"""The U-Net beyond its parity: the paper's segmentation network, connections, refusals."""

from __future__ import annotations

import pytest
import torch

from rome_backend.models.unet import GEOMETRY, PICTURE, SEGMENTATION, UNetParams, make_unet

SMALL = UNetParams(in_channels=5, out_channels=2, widths=(8, 8, 16, 16))


@pytest.mark.parametrize(
    ("params", "count"), [(GEOMETRY, 14_782_176), (PICTURE, 14_780_356)], ids=["geom", "img"]
)
def test_the_released_sizes(params: UNetParams, count: int) -> None:
    with torch.device("meta"):
        network = make_unet(params)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_the_segmentation_network_is_half_as_wide() -> None:
    assert [2 * width for width in SEGMENTATION.widths] == list(PICTURE.widths)
    torch.manual_seed(0)
    network = make_unet(SEGMENTATION).eval()
    assert network(torch.rand(1, 47, 16, 16)).shape == (1, 1, 16, 16)


def test_pooling_and_upsampling_are_chosen() -> None:
    torch.manual_seed(0)
    values = torch.rand(1, 5, 16, 16)
    state = make_unet(SMALL).state_dict()
    results = []
    for pooling in ("max", "average"):
        for upsampling in ("nearest", "bilinear"):
            network = make_unet(UNetParams(5, 2, SMALL.widths, pooling, upsampling))
            network.load_state_dict(state)
            results.append(network(values))
    differences = [(a - b).abs().max() for a in results for b in results if a is not b]
    assert min(differences) > 1e-4


def test_the_upsampled_half_comes_before_the_skip() -> None:
    """With weights on the first half alone, the last block sees nothing of the skip."""
    torch.manual_seed(0)
    network = make_unet(SMALL)
    block = network.decoder[-1]
    seen = []
    block.main[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    skips = []
    network.encoder[0].register_forward_hook(lambda _, __, output: skips.append(output))
    network(torch.rand(1, 5, 8, 8))
    assert torch.equal(seen[0][:, 8:], skips[0])
    assert not torch.equal(seen[0][:, :8], skips[0])


def test_gradients_reach_the_input() -> None:
    values = torch.rand(1, 5, 8, 8, requires_grad=True)
    make_unet(SMALL)(values).square().sum().backward()
    assert values.grad is not None and values.grad.abs().min() >= 0
    assert values.grad.abs().max() > 0


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        make_unet(SMALL)(torch.rand(1, 5, 8, 10))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"in_channels": 0}, "at least 1"),
        ({"widths": (8, 8)}, "two levels"),
        ({"widths": (8, 16, 32)}, "lowest level"),
        ({"pooling": "median"}, "pooling"),
        ({"upsampling": "cubic"}, "upsampling"),
    ],
)
def test_params_that_make_no_network_are_refused(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        UNetParams(**changes)
