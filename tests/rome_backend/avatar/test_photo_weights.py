# SPDX-License-Identifier: Apache-2.0
"""Files of the network that mends photo pictures: what is written is read, nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.avatar.photo_layers import PhotoLayers
from rome_backend.avatar.photo_mend import (
    CONTROLS,
    SHIPPED,
    make_mending_network,
    photo_mender,
)
from rome_backend.avatar.photo_weights import load_photo_mender, save_photo_mender
from rome_backend.core.errors import FileInvalid
from rome_backend.core.tensor_file import read_tensors, write_tensors


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = make_mending_network(8, 2)
    with torch.no_grad():
        network.outputs.weight.normal_()
    path = tmp_path / "photo.safetensors"
    save_photo_mender(network, path, {"command": "train", "seed": 3})
    return path


def test_a_mender_comes_back_as_it_was(saved: Path) -> None:
    first, second = (load_photo_mender(saved) for _ in range(2))
    layers = PhotoLayers(*(torch.rand(1, count, 48, 48) for count in (4, 4, 8)))
    with torch.no_grad():
        assert torch.equal(first(layers), second(layers))
        assert first(layers).abs().max() > 0
    assert not first.training


def test_what_comes_back_is_the_share_that_the_whole_network_says(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = make_mending_network(8, 2)
    with torch.no_grad():
        network.outputs.weight.normal_()
    save_photo_mender(network, tmp_path / "photo.safetensors", {})
    layers = PhotoLayers(*(torch.rand(1, count, 48, 48) for count in (4, 4, 8)))
    with torch.no_grad():
        whole = photo_mender(network)(layers)
        found = load_photo_mender(tmp_path / "photo.safetensors")(layers)
    assert whole.shape[1] == CONTROLS and found.shape[1] == SHIPPED
    assert torch.allclose(whole[:, :SHIPPED], found, atol=1e-5)


def test_its_card_lies_beside_it(saved: Path) -> None:
    card = json.loads(saved.with_suffix(".json").read_text())
    assert card["command"] == "train" and card["seed"] == 3 and card["weights_id"]


@pytest.mark.parametrize("what", ["kind", "version", "params", "tensor", "shape", "gone"])
def test_other_files_are_refused(saved: Path, what: str) -> None:
    tensors, metadata = read_tensors(saved)
    tensors = {name: np.array(value) for name, value in tensors.items()}
    if what in ("kind", "version"):
        metadata[what] = "another"
    elif what == "params":
        metadata["params"] = {"base": 8}
    elif what == "tensor":
        tensors["more"] = np.zeros(3, np.float32)
    elif what == "shape":
        tensors["outputs.bias"] = np.zeros(3, np.float32)
    if what == "gone":
        saved.unlink()
    else:
        write_tensors(saved, tensors, metadata)
    with pytest.raises(FileInvalid) as caught:
        load_photo_mender(saved)
    assert caught.value.code == "mender_invalid"
