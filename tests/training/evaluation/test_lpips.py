# SPDX-License-Identifier: Apache-2.0
"""LPIPS: names of its files, a hand-made case, and that it is left out without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.assets import network_shapes as shapes
from rome_backend.assets.store import AssetStore
from rome_backend.core.tensor_file import write_tensors
from training.evaluation.judges import installed_judges
from training.evaluation.lpips import Lpips, installed_lpips
from training.evaluation.scores import mean_scores, score

WIDTHS = (64, 192, 384, 256, 256)


@pytest.fixture(scope="module")
def network() -> Lpips:
    torch.manual_seed(0)
    made = Lpips()
    for level in range(5):
        made.get_submodule(f"lin{level}.model.1").weight.abs_()
    return made


def test_the_state_is_that_of_the_two_files(network: Lpips) -> None:
    found = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert found == shapes.alexnet() | shapes.lpips(WIDTHS)


def test_equal_pictures_are_not_apart_and_different_ones_are(network: Lpips) -> None:
    first = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    near, far = (first * (1 - share) + share * first.flip(-1) for share in (0.1, 1.0))
    assert network(first, first).abs().max() == 0
    assert (0 < network(first, near)).all() and (network(first, near) < network(first, far)).all()
    assert torch.allclose(network(first, far), network(far, first))


def test_the_first_level_by_hand(network: Lpips) -> None:
    """With all other levels' weights 0: unit feature vectors, squared, weighted, averaged."""
    one = Lpips()
    one.load_state_dict(network.state_dict())
    for level in range(1, 5):
        one.get_submodule(f"lin{level}.model.1").weight.zero_()
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    scaled = (2 * pictures.numpy() - 1 - shift[:, None, None]) / scale[:, None, None]
    conv = one.features["0"]
    features = torch.relu(conv(torch.from_numpy(scaled).float()))
    unit = features / features.norm(dim=1, keepdim=True).clamp_min(1e-10)
    weight = one.get_submodule("lin0.model.1").weight[0, :, 0, 0]
    wanted = ((unit[0] - unit[1]) ** 2 * weight[:, None, None]).sum(0).mean()
    assert one(pictures[:1], pictures[1:])[0].item() == pytest.approx(wanted.item(), rel=1e-4)


def test_it_is_measured_where_it_is_installed(network: Lpips, tmp_path: Path) -> None:
    store = AssetStore(tmp_path)
    assert installed_lpips(store) is None and "lpips" in installed_judges(store).left_out
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    for asset, start in (("alexnet", "features."), ("lpips-alexnet", "lin")):
        tensors = {name: value for name, value in arrays.items() if name.startswith(start)}
        store.place(
            asset, f"{asset}.safetensors", lambda p, t=tensors: write_tensors(p, t, {}), "X", "Y"
        )
    found = installed_lpips(store)
    assert found is not None and "lpips" not in installed_judges(store).left_out
    random = np.random.default_rng(0)
    real, other = random.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    matte = np.ones((64, 64), np.float32)
    scores = [score(real, matte, matte, each, matte, found) for each in (real, other)]
    assert scores[0].lpips == 0 and scores[1].lpips is not None and scores[1].lpips > 0.01
    assert "lpips" in mean_scores(scores)
    outside = other.copy()
    outside[:32] = real[:32]
    above = np.repeat((np.arange(64) < 32).astype(np.float32)[:, None], 64, 1)
    assert score(real, matte, above, outside, matte, found).lpips == 0
