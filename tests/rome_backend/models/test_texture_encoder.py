# SPDX-License-Identifier: Apache-2.0
"""The texture encoder beyond its parity: sizes, refusals, gradients."""

from __future__ import annotations

import pytest
import torch

from rome_backend.models.texture_encoder import TextureEncoderParams, make_texture_encoder

SMALL = TextureEncoderParams(in_channels=4, out_channels=3, inner=8, levels=3)


def test_the_released_sizes() -> None:
    with torch.device("meta"):
        network = make_texture_encoder()
    assert sum(parameter.numel() for parameter in network.parameters()) == 40_440_328
    assert len(network.layers) == 26


def test_the_texture_has_the_picture_s_size_and_gradients() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 4, 16, 24, requires_grad=True)
    texture = make_texture_encoder(SMALL)(picture)
    assert texture.shape == (2, 3, 16, 24)
    texture.square().sum().backward()
    assert picture.grad is not None and picture.grad.abs().max() > 0


def test_the_coarsest_level_sees_the_whole_picture() -> None:
    torch.manual_seed(1)
    network = make_texture_encoder(SMALL).eval()
    picture = torch.rand(1, 4, 16, 16)
    changed = picture.clone()
    changed[..., 0, 0] += 1
    difference = (network(picture) - network(changed)).abs()
    assert difference[..., -1, -1].max() > 0


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        make_texture_encoder(SMALL)(torch.rand(1, 4, 18, 16))


@pytest.mark.parametrize("field", ["in_channels", "out_channels", "inner", "levels"])
def test_sizes_that_make_no_network_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TextureEncoderParams(**{field: 0})
