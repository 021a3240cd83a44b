# SPDX-License-Identifier: Apache-2.0
"""The shared layers: standardisation against the official numbers, shapes, gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.blocks import (
    Bottleneck,
    ConvBlock,
    WSConv2d,
    group_norm,
    standardised_weight,
    upsample,
)


@pytest.mark.parametrize("case", ["c0", "c0b", "c1", "c2", "c3", "c4"])
def test_standardised_convolution_parity(parity_dir: Path, case: str) -> None:
    data = np.load(parity_dir / "wsconv.npz")
    kernel, stride, padding = (int(number) for number in data[f"{case}_cfg"])
    weight, expected = data[f"{case}_weight"], torch.from_numpy(data[f"{case}_y"])
    has_bias = f"{case}_bias" in data
    conv = WSConv2d(*weight.shape[1::-1], kernel, stride, padding, bias=has_bias)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(weight))
        if has_bias:
            conv.bias.copy_(torch.from_numpy(data[f"{case}_bias"]))
        found = conv(torch.from_numpy(data[f"{case}_x"]))
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 2e-6 * expected.abs().max()


def test_filters_have_mean_zero_and_unbiased_deviation_one() -> None:
    torch.manual_seed(0)
    weight = standardised_weight(3 + 5 * torch.randn(7, 4, 3, 3, dtype=torch.float64))
    flat = weight.flatten(1).numpy()
    assert np.abs(flat.mean(1)).max() < 1e-12
    assert np.allclose(flat.std(1, ddof=1), 1, atol=1e-5)


def test_standardisation_forgets_scale_and_shift_but_for_the_epsilon() -> None:
    torch.manual_seed(1)
    weight = torch.randn(3, 2, 3, 3, dtype=torch.float64)
    same = standardised_weight(7 * weight + 2)
    assert torch.allclose(same, standardised_weight(weight), atol=1e-4)
    assert not torch.equal(same, standardised_weight(weight))


def test_standardised_weights_have_gradients() -> None:
    torch.manual_seed(2)
    weight = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    mixing = torch.randn(2, 3, 2, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda w: (standardised_weight(w) * mixing).sum(), weight)


def test_group_norm_has_at_most_32_groups() -> None:
    assert [group_norm(channels).num_groups for channels in (8, 32, 256)] == [8, 32, 32]
    assert group_norm(64).eps == 1e-5


def test_a_bottleneck_of_one_width_adds_to_its_input() -> None:
    block = Bottleneck(64, 64, 16)
    torch.nn.init.zeros_(block.main[-1].weight)
    values = torch.randn(2, 64, 8, 8)
    assert torch.equal(block(values), values)
    assert not list(block.skip.parameters())


def test_a_bottleneck_of_two_widths_has_a_plain_skip() -> None:
    block = Bottleneck(32, 64, 8)
    torch.nn.init.zeros_(block.main[-1].weight)
    values = torch.randn(1, 32, 4, 4)
    expected = torch.nn.functional.conv2d(values, block.skip.weight)
    assert torch.equal(block(values), expected)
    assert not isinstance(block.skip, WSConv2d) and not isinstance(block.main[-1], WSConv2d)


def test_the_blocks_leave_their_input_as_it_is() -> None:
    values = torch.randn(1, 32, 8, 8)
    before = values.clone()
    Bottleneck(32, 32, 8)(values)
    ConvBlock(32, 8, 16)(values)
    assert torch.equal(values, before)


def test_a_conv_block_ends_with_relu_and_its_own_widths() -> None:
    found = ConvBlock(3, 8, 16)(torch.randn(2, 3, 6, 6))
    assert found.shape == (2, 16, 6, 6)
    assert found.min() == 0 and found.max() > 0


def test_upsampling_repeats_or_blends() -> None:
    row = torch.tensor([[[[0.0, 1.0]]]])
    assert upsample(row)[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]
    assert upsample(row, "bilinear")[0, 0, 0].tolist() == [0, 0.25, 0.75, 1]
