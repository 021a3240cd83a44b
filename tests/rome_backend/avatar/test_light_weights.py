# SPDX-License-Identifier: Apache-2.0
"""Files of light renderers: a round trip, and everything that is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.avatar.light_weights import (
    KIND,
    VERSION,
    load_light_renderer,
    save_light_renderer,
)
from rome_backend.core.errors import AssetMissing, FileInvalid, RomeError
from rome_backend.core.tensor_file import read_tensors, write_tensors
from rome_backend.models.light_renderer import LightParams, LightRenderer, make_light_renderer

SMALL = LightParams(base=8, levels=2, block=2)


@pytest.fixture
def network() -> LightRenderer:
    torch.manual_seed(0)
    return make_light_renderer(SMALL)


def test_what_is_written_draws_the_same(network: LightRenderer, tmp_path: Path) -> None:
    save_light_renderer(network, tmp_path / "light.safetensors", "abc", {"steps": 7})
    loaded, weights_id = load_light_renderer("light", tmp_path)
    assert weights_id == "abc" and loaded.params == SMALL and not loaded.training
    values = torch.rand(1, 11, 16, 16)
    with torch.no_grad():
        assert torch.equal(loaded(values), network(values))
    assert read_tensors(tmp_path / "light.safetensors")[1]["trained"] == {"steps": 7}


def test_without_trained_weights_nobody_gets_random_ones(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing) as caught:
        load_light_renderer("light", tmp_path)
    assert caught.value.code == "renderer_untrained"


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "something"},
        {"version": 9},
        {"params": {"base": 8}},
        {"params": {"colour": 1}},
        {"params": {"base": 0}},
        {"params": None},
        {"weights_id": ...},
    ],
)
def test_another_file_is_refused(network: LightRenderer, tmp_path: Path, damage: dict) -> None:
    good = {
        "kind": KIND, "version": VERSION, "weights_id": "abc",
        "params": {"base": 8, "levels": 2, "block": 2},
    }  # fmt: skip
    metadata = {name: value for name, value in (good | damage).items() if value is not ...}
    tensors = {name: value.numpy() for name, value in network.state_dict().items()}
    write_tensors(tmp_path / "light.safetensors", tensors, metadata)
    with pytest.raises(FileInvalid) as caught:
        load_light_renderer("light", tmp_path)
    assert caught.value.code == "light_renderer_invalid"


def test_a_tensor_more_or_less_is_refused(network: LightRenderer, tmp_path: Path) -> None:
    path = tmp_path / "light.safetensors"
    save_light_renderer(network, path, "abc", {})
    tensors, metadata = read_tensors(path)
    for wrong in (
        tensors | {"extra": np.zeros(1, np.float32)},
        {name: tensors[name] for name in list(tensors)[1:]},
    ):
        write_tensors(path, wrong, metadata)
        with pytest.raises(FileInvalid):
            load_light_renderer("light", tmp_path)


def test_a_file_cut_off_is_an_error_of_ours(network: LightRenderer, tmp_path: Path) -> None:
    path = tmp_path / "light.safetensors"
    save_light_renderer(network, path, "abc", {})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RomeError):
        load_light_renderer("light", tmp_path)
