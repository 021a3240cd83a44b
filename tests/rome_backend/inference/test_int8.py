# SPDX-License-Identifier: Apache-2.0
"""The 8-bit preview: accuracy is measured, and going without it is said aloud.

OpenVINO is optional: where it is missing, tests that need it skip, and those of its absence run.
"""

from __future__ import annotations

import builtins
import logging
import math
from typing import Any

import pytest
import torch
from torch import nn

from rome_backend.core.errors import AssetMissing
from rome_backend.inference import int8
from rome_backend.inference.int8 import Int8Network, preview_network, psnr_db
from rome_backend.inference.precision import FastNetwork
from rome_backend.models.light_renderer import LightParams, make_light_renderer

SMALL = LightParams(in_channels=4, base=16, levels=2)


def examples(count: int = 3, size: int = 32) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 4, size, size, generator=generator) for _ in range(count)]


def network() -> nn.Module:
    torch.manual_seed(0)
    return make_light_renderer(SMALL)


@pytest.fixture
def without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in ("openvino", "nncf"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)


class _Rough(nn.Module):
    """Stands for a compiled model whose results are off by a given amount."""

    def __init__(self, quick: nn.Module, error: float) -> None:
        super().__init__()
        self.quick, self.error = quick, error

    def __call__(self, values: Any) -> list[Any]:
        with torch.no_grad():
            return [(self.quick(torch.from_numpy(values)) + self.error).numpy()]


def _instead(monkeypatch: pytest.MonkeyPatch, error: float) -> None:
    monkeypatch.setattr(int8, "_compiled", lambda quick, *_: _Rough(quick, error))


def test_without_the_packages_one_sentence_says_what_to_do(without_openvino: None) -> None:
    with pytest.raises(AssetMissing) as caught:
        Int8Network(network(), examples())
    assert caught.value.code == "int8_missing"


def test_a_preview_without_the_packages_is_the_other_network_and_says_so(
    without_openvino: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = preview_network(network(), examples())
    assert isinstance(found, FastNetwork)
    assert "No 8-bit preview" in caplog.text


def test_a_preview_that_costs_too_much_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _instead(monkeypatch, error=5.0)
    with caplog.at_level(logging.WARNING):
        assert isinstance(preview_network(network(), examples()), FastNetwork)
    assert "are the least" in caplog.text


def test_a_good_one_is_taken_and_knows_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, error=0.01)
    made, pictures = network(), examples()
    found = preview_network(made, pictures)
    assert isinstance(found, Int8Network)
    with torch.no_grad():
        expected = torch.cat([made(each) for each in pictures])
        torch.testing.assert_close(found(pictures[0]), expected[:1] + 0.01, rtol=1e-4, atol=1e-4)
    peak = float(expected.max() - expected.min())
    assert found.psnr_db == pytest.approx(20 * math.log10(peak / 0.01), abs=0.1)


def test_another_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _instead(monkeypatch, error=0.0)
    found = Int8Network(network(), examples())
    with pytest.raises(ValueError, match="made for"):
        found(torch.zeros(1, 4, 16, 16))


@pytest.mark.parametrize("pictures", [[], [torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 16, 16)]])
def test_examples_of_one_size_are_needed(pictures: list[torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="one size"):
        Int8Network(network(), pictures)


def test_psnr_is_in_db_of_the_range() -> None:
    expected = torch.tensor([0.0, 2.0])
    assert psnr_db(expected, expected) == math.inf
    assert psnr_db(expected + torch.tensor([0.2, -0.2]), expected) == pytest.approx(20.0, abs=1e-4)
    assert psnr_db(expected + 0.1, expected, peak=1.0) == pytest.approx(20.0, abs=1e-4)


def test_openvino_agrees_with_torch_where_it_is_installed() -> None:
    pytest.importorskip("openvino")
    pytest.importorskip("nncf")
    found = Int8Network(network(), examples())
    assert found.psnr_db > 25
