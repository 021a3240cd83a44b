# SPDX-License-Identifier: Apache-2.0
"""The light renderer: shapes, sizes, what reaches which pixel, what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rome_backend.models.light_renderer import (
    LIGHT_RENDERERS,
    LightParams,
    make_light_renderer,
)

SMALL = LightParams(in_channels=5, base=8, levels=3)


@pytest.mark.parametrize("name", sorted(LIGHT_RENDERERS))
def test_every_named_renderer_maps_textured_normals_to_rgb_and_mask(name: str) -> None:
    network = make_light_renderer(LIGHT_RENDERERS[name])
    with torch.no_grad():
        found = network(torch.randn(2, 11, 32, 64))
    assert found.shape == (2, 4, 32, 64)
    assert torch.isfinite(found).all()


def test_they_are_small_and_without_norms() -> None:
    for params in LIGHT_RENDERERS.values():
        network = make_light_renderer(params)
        assert sum(weight.numel() for weight in network.parameters()) < 2.1e6
        assert {type(module) for module in network.modules() if not list(module.children())} == {
            nn.Conv2d,
            nn.ReLU,
        }


@pytest.mark.parametrize("block", [1, 2])
def test_pictures_of_a_batch_do_not_mix(block: int) -> None:
    torch.manual_seed(0)
    network = make_light_renderer(LightParams(in_channels=5, base=8, levels=3, block=block))
    values = torch.randn(3, 5, 16, 24)
    with torch.no_grad():
        together = network(values)
        alone = torch.cat([network(each[None]) for each in values])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("block", [1, 2])
def test_a_shift_by_the_reduction_shifts_the_picture(block: int) -> None:
    params = LightParams(in_channels=2, base=8, levels=2, block=block)
    network = make_light_renderer(params)
    values = torch.zeros(1, 2, 64, 64)
    values[:, :, 20:30, 20:30] = torch.randn(1, 2, 10, 10)
    step = params.reduction
    with torch.no_grad():
        there = network(values.roll(step, -1))
        here = network(values).roll(step, -1)
    inside = (..., slice(16, 48), slice(16, 48))
    torch.testing.assert_close(there[inside], here[inside], rtol=1e-4, atol=1e-5)


def test_the_untrained_network_keeps_its_signal() -> None:
    torch.manual_seed(1)
    network = make_light_renderer()
    with torch.no_grad():
        found = network(torch.randn(1, 11, 64, 64))
    assert 0.1 < found.std() < 10


def test_gradients_reach_every_weight() -> None:
    network = make_light_renderer(SMALL)
    network(torch.randn(1, 5, 16, 16)).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None and weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize("size", [(30, 32), (32, 36)])
def test_a_size_that_does_not_halve_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        make_light_renderer()(torch.zeros(1, 11, *size))


@pytest.mark.parametrize("wrong", [{"base": 0}, {"levels": 1}, {"block": 0}, {"out_channels": 0}])
def test_sizes_that_make_no_network_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        LightParams(**wrong)
