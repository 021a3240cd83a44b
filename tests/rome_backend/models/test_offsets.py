# SPDX-License-Identifier: Apache-2.0
"""G_geom beyond its parity: where the input enters again, batches, refusals."""

from __future__ import annotations

import pytest
import torch

from rome_backend.models.offsets import OffsetsParams, make_offsets_net


def test_the_released_size() -> None:
    count = sum(parameter.numel() for parameter in make_offsets_net().parameters())
    assert count == 491_264


def test_rows_are_independent_in_any_batch_shape() -> None:
    torch.manual_seed(0)
    network = make_offsets_net()
    rows = torch.randn(2, 7, 58)
    together = network(rows)
    assert together.shape == (2, 7, 3)
    assert torch.allclose(together[1, 3], network(rows[1, 3]), atol=1e-6)


def test_the_input_stands_before_the_hidden_units_in_the_middle() -> None:
    network = make_offsets_net(OffsetsParams(in_channels=2, width=4))
    with torch.no_grad():
        network.first[-2].weight.zero_()
        network.first[-2].bias.fill_(-1)  # ReLU leaves nothing of the first half
        network.second[0].weight[:, 2:] = 1e6
    rows = torch.randn(3, 2)
    hidden = torch.relu(rows @ network.second[0].weight[:, :2].T + network.second[0].bias)
    assert torch.allclose(network(rows), network.second[2:](hidden), atol=1e-6)


def test_the_last_layer_has_no_bias() -> None:
    assert make_offsets_net().second[-1].bias is None


@pytest.mark.parametrize("field", ["in_channels", "width", "out_channels"])
def test_sizes_that_make_no_network_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        OffsetsParams(**{field: 0})
