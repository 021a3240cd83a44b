# SPDX-License-Identifier: Apache-2.0
"""Choosing numbers by what the device can do, and networks that then give the same results."""

from __future__ import annotations

import pytest
import torch

from rome_backend.inference.precision import (
    FastNetwork,
    Precision,
    choose_precision,
    multiplies_bfloat16,
)
from rome_backend.models.light_renderer import LightParams, make_light_renderer
from rome_backend.models.offsets import make_offsets_net
from rome_backend.models.unet import UNetParams, make_unet

CPU = torch.device("cpu")
SMALL = UNetParams(6, 4, (16, 32, 64, 64))


def _capabilities(monkeypatch: pytest.MonkeyPatch, **flags: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16", "bf16"])
def test_auto_takes_bfloat16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    _capabilities(monkeypatch, **{flag: True})
    assert multiplies_bfloat16(CPU)
    chosen = choose_precision()
    assert chosen.dtype == torch.bfloat16
    assert "multiplies bfloat16" in chosen.reason


def test_auto_stays_with_float32_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    _capabilities(monkeypatch, avx512_bf16=False, avx2=True)
    chosen = choose_precision()
    assert chosen.dtype == torch.float32
    assert "not" in chosen.reason


def test_a_cuda_device_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    _capabilities(monkeypatch, avx512_bf16=True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert choose_precision("auto", torch.device("cuda")).dtype == torch.float32


def test_a_persons_choice_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    _capabilities(monkeypatch)
    assert choose_precision("bfloat16").dtype == torch.bfloat16
    _capabilities(monkeypatch, avx512_bf16=True)
    assert choose_precision("float32").dtype == torch.float32


def test_other_words_are_refused() -> None:
    with pytest.raises(ValueError, match="half"):
        choose_precision("half")  # type: ignore[arg-type]


def _psnr(found: torch.Tensor, expected: torch.Tensor) -> float:
    peak = float(expected.max() - expected.min())
    return float(10 * torch.log10(peak**2 / (found - expected).square().mean()))


def test_float32_is_the_same_network() -> None:
    torch.manual_seed(0)
    network = make_unet(SMALL).eval()
    values = torch.randn(1, 6, 32, 32)
    with torch.no_grad():
        expected = network(values)
    found = FastNetwork(network, choose_precision("float32"))(values)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close_and_comes_out_as_float32() -> None:
    torch.manual_seed(0)
    network = make_unet(SMALL).eval()
    values = torch.randn(1, 6, 32, 32)
    with torch.no_grad():
        expected = network(values)
    found = FastNetwork(network, choose_precision("bfloat16"))(values)
    assert found.dtype == torch.float32
    assert 35 < _psnr(found, expected) < 80


def test_it_runs_blocks_of_pixels_and_rows_of_vertices_too() -> None:
    torch.manual_seed(0)
    light = make_light_renderer(LightParams(in_channels=4, base=8, levels=2, block=2))
    values = torch.randn(1, 4, 16, 16)
    with torch.no_grad():
        assert _psnr(FastNetwork(light, choose_precision("bfloat16"))(values), light(values)) > 35
        rows = torch.randn(1, 50, 58)
        mlp = make_offsets_net()
        found = FastNetwork(mlp, choose_precision("float32"))(rows)
        torch.testing.assert_close(found, mlp(rows), rtol=1e-4, atol=1e-5)


def test_the_network_given_is_left_as_it_was() -> None:
    network = make_unet(SMALL)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    quick = FastNetwork(network, Precision(torch.bfloat16, "test"))
    assert all(weight.dtype == torch.bfloat16 for weight in quick.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert network.training


def test_nothing_it_makes_carries_gradients() -> None:
    quick = FastNetwork(make_unet(SMALL), choose_precision("float32"))
    found = quick(torch.randn(1, 6, 16, 16, requires_grad=True))
    assert not found.requires_grad
