# SPDX-License-Identifier: Apache-2.0
"""The key map: every official name and shape, there and back, and what strict loading refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.key_map import (
    INFERENCE,
    NETWORKS,
    WrongWeights,
    expected_state,
    from_official,
    load_network,
    official_name,
    our_name,
    split_checkpoint,
    state_problems,
    to_official,
)


@pytest.fixture
def offsets_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {name: torch.randn(like.shape) for name, like in expected_state("G_geom").items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_parity(shapes: dict[str, dict], name: str) -> None:
    official = {key: tuple(shape) for key, shape in shapes[name]["shapes"].items()}
    assert {key: tuple(value.shape) for key, value in expected_state(name).items()} == official
    if NETWORKS[name].prefix:
        assert shapes[name]["checkpoint_prefix"] == NETWORKS[name].prefix
    else:
        assert not shapes[name]["checkpoint_prefix"].endswith(".")


@pytest.mark.parametrize("name", NETWORKS)
def test_names_go_there_and_back_parity(shapes: dict[str, dict], name: str) -> None:
    ours = set()
    for key in shapes[name]["shapes"]:
        mine = our_name(name, key)
        ours.add(mine)
        assert official_name(name, mine) == key
    with torch.device("meta"):
        assert ours == set(NETWORKS[name].make().state_dict())


@pytest.mark.parametrize("name", NETWORKS)
def test_weight_rule_through_our_modules_parity(
    parity_dir: Path, official_state: Callable, shapes: dict[str, dict], name: str
) -> None:
    data = np.load(parity_dir / "weights_check.npz")
    state = to_official(name, load_network(name, official_state(name)).state_dict())
    arrays = [state[key].numpy() for key in shapes[name]["shapes"]]
    floats = [array for array in arrays if array.dtype == np.float32]
    sums = np.array([array.sum(dtype=np.float64) for array in floats])
    first = np.array([array.flat[0] for array in floats])
    assert np.abs(sums - data[f"{name}/sum"]).max() <= 1e-6
    assert np.abs(first - data[f"{name}/first"]).max() <= (1e-6 if "disc" in name else 0)


def test_a_checkpoint_is_cut_into_its_networks(offsets_state: dict[str, torch.Tensor]) -> None:
    whole = {f"mlp_deformer.{name}": value for name, value in offsets_state.items()}
    whole["unet.to_outputs.bias"] = torch.zeros(4)
    whole["parametric_avatar.uv_grid"] = torch.zeros(1)
    whole["unetx.weight"] = torch.zeros(1)
    parts, rest = split_checkpoint(whole)
    assert set(parts) == {"G_geom", "E_img"} and set(parts) <= set(INFERENCE)
    assert set(parts["G_geom"]) == set(offsets_state)
    assert rest == ("parametric_avatar.uv_grid", "unetx.weight")


def test_loading_takes_every_tensor_and_copies_it(offsets_state: dict[str, torch.Tensor]) -> None:
    module = load_network("G_geom", offsets_state)
    own = from_official("G_geom", offsets_state)
    assert all(torch.equal(value, own[name]) for name, value in module.state_dict().items())
    assert not module.training and all(p.requires_grad for p in module.parameters())
    offsets_state["block_1.0.bias"].fill_(9)
    assert module.first[0].bias.max() < 9


def test_half_precision_files_load_as_float32(offsets_state: dict[str, torch.Tensor]) -> None:
    half = {name: value.half() for name, value in offsets_state.items()}
    assert all(p.dtype == torch.float32 for p in load_network("G_geom", half).parameters())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("missing", "block_1.2.weight is missing"),
        ("unknown", "block_9.weight is unknown"),
        ("shape", "block_1.2.weight is (256, 255) instead of (256, 256)"),
        ("nan", "block_1.2.weight has numbers that are not finite"),
        ("integers", "block_1.2.weight is torch.int64 instead of torch.float32"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_by_name(
    offsets_state: dict[str, torch.Tensor], change: str, words: str
) -> None:
    name = "block_1.2.weight"
    if change == "missing":
        del offsets_state[name]
    elif change == "unknown":
        offsets_state["block_9.weight"] = torch.zeros(1)
    elif change == "shape":
        offsets_state[name] = offsets_state[name][:, :-1]
    elif change == "nan":
        offsets_state[name][3, 4] = torch.nan
    else:
        offsets_state[name] = offsets_state[name].long()
    with pytest.raises(WrongWeights, match="G_geom") as caught:
        load_network("G_geom", offsets_state)
    assert caught.value.problems == (words,)
    assert words in str(caught.value)


def test_a_message_names_five_tensors_and_counts_the_others() -> None:
    problems = state_problems("E_tex", {})
    assert len(problems) == 203
    assert "and 198 more" in str(WrongWeights("E_tex", problems))
