# SPDX-License-Identifier: Apache-2.0
"""The discriminator: official numbers in both modes, and what spectral norm promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.discriminator import (
    DiscriminatorParams,
    SpectralConv2d,
    make_discriminator,
)
from rome_backend.models.key_map import load_network, to_official


def _close(found: torch.Tensor, expected: np.ndarray, limit: float = 5e-6) -> bool:
    wanted = torch.from_numpy(expected)
    return bool((found.detach() - wanted).abs().max() <= limit * wanted.abs().max())


@pytest.fixture
def state(official_state: Callable) -> dict[str, torch.Tensor]:
    return official_state("discriminator")


def test_evaluation_parity(parity_dir: Path, state: dict[str, torch.Tensor]) -> None:
    data = np.load(parity_dir / "net_discriminator.npz")
    picture = torch.from_numpy(data["x_u8"].astype(np.float32) / 255)
    module = load_network("discriminator", state)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    judged = module(picture)
    assert _close(judged.scores, data["scores_eval"])
    assert _close(judged.features[0][:, ::2], data["feat0_eval"])
    for number in (1, 2, 3):
        assert _close(judged.features[number], data[f"feat{number}_eval"])
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_training_parity(parity_dir: Path, state: dict[str, torch.Tensor]) -> None:
    data = np.load(parity_dir / "net_discriminator.npz")
    picture = torch.from_numpy(data["x_u8"].astype(np.float32) / 255)
    assert _close(
        load_network("discriminator", state).train()(picture).scores, data["scores_train"]
    )
    for key in data:
        if key.startswith("u_in/"):
            state[key.removeprefix("u_in/")] = torch.from_numpy(data[key])
    module = load_network("discriminator", state).train()
    assert _close(module(picture).scores, data["scores_train_perturbed"])
    after = to_official("discriminator", module.state_dict())
    for key in data:
        if key.startswith("after/"):
            found = after[key.removeprefix("after/")].numpy()
            assert np.abs(found - data[key]).max() <= 1e-6, key


def test_training_calls_converge_to_the_largest_singular_value() -> None:
    torch.manual_seed(0)
    conv = SpectralConv2d(3, 8, 3).train()
    for _ in range(200):
        conv.normalised_weight()
    weight = conv.eval().normalised_weight().detach().flatten(1)
    assert abs(float(torch.linalg.matrix_norm(weight, 2)) - 1) < 1e-4


def test_a_second_training_call_keeps_the_first_ones_graph() -> None:
    conv = SpectralConv2d(3, 4, 3).train()
    values = torch.randn(1, 3, 6, 6)
    first = conv(values).sum()
    conv(values)
    first.backward()
    assert torch.isfinite(conv.weight_orig.grad).all()


def test_the_norm_is_part_of_the_gradient() -> None:
    """Scaling the raw weight changes nothing, so the gradient along the weight is zero."""
    conv = SpectralConv2d(3, 4, 3).eval()
    (conv(torch.randn(1, 3, 6, 6)) ** 2).sum().backward()
    along = (conv.weight_orig.grad * conv.weight_orig).sum()
    size = conv.weight_orig.grad.norm() * conv.weight_orig.norm()
    assert along.abs().item() < 1e-5 * size.item()


def test_scores_shrink_by_the_strides_and_features_are_the_blocks() -> None:
    module = make_discriminator()
    judged = module(torch.rand(1, 3, 64, 64))
    assert judged.scores.shape == (1, 1, 8, 8)
    assert [feature.shape[1] for feature in judged.features] == [64, 128, 256, 512]


@pytest.mark.parametrize(
    "changes", [{"widths": (8, 8)}, {"widths": (), "strides": ()}, {"in_channels": 0}]
)
def test_sizes_that_make_no_network_are_refused(changes: dict) -> None:
    with pytest.raises(ValueError, match="block|size"):
        DiscriminatorParams(**changes)
