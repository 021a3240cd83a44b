# SPDX-License-Identifier: Apache-2.0
"""Every loss and its gradient against the numbers of the official code and the paper's formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from training.losses.adversarial import discriminator_loss, feature_matching, generator_loss
from training.losses.chamfer import chamfer, matte_points, silhouette_chamfer
from training.losses.form import Form
from training.losses.geometry import LANDMARK_WEIGHTS, landmarks, laplacian, neighbours
from training.losses.identity import identity
from training.losses.masks import dice, occupancy, on_random_ground

FORMS: dict[Form, str] = {"paper": "paper", "released": "code"}


class Fixtures:
    """The arrays of losses.npz; ``leaf`` takes one that gets a gradient."""

    def __init__(self, path: Path) -> None:
        self._arrays = dict(np.load(path))
        self._leaves: dict[str, torch.Tensor] = {}

    def constant(self, name: str) -> torch.Tensor:
        return torch.from_numpy(self._arrays[name])

    def leaf(self, name: str) -> torch.Tensor:
        self._leaves[name] = self.constant(name).clone().requires_grad_()
        return self._leaves[name]

    def compare(self, value: torch.Tensor, name: str) -> None:
        """Compare a loss with its number, and the gradients of every leaf with theirs."""
        expected = self.constant(name)
        assert abs(value.item() - expected.item()) <= 2e-6 * abs(expected.item())
        value.backward()
        for leaf, tensor in self._leaves.items():
            wanted = self.constant(f"{name}_grad_{leaf.partition('_')[2]}")
            assert tensor.grad is not None and tensor.grad.shape == wanted.shape
            error = (tensor.grad - wanted).abs().max()
            assert error <= 1e-6 + 1e-5 * wanted.abs().max(), leaf
        self._leaves.clear()


@pytest.fixture
def data(parity_dir: Path) -> Fixtures:
    return Fixtures(parity_dir / "losses.npz")


def test_dice_parity(data: Fixtures) -> None:
    data.compare(dice(data.leaf("dice_logits"), data.constant("dice_target")), "dice")


def test_generator_parity(data: Fixtures) -> None:
    data.compare(generator_loss(data.leaf("adv_fake")), "adv_gen")


def test_discriminator_parity(data: Fixtures) -> None:
    data.compare(discriminator_loss(data.leaf("adv_fake"), data.leaf("adv_real")), "adv_dis")


def test_feature_matching_parity(data: Fixtures) -> None:
    fake = [data.leaf(f"fm_fake{n}") for n in range(4)]
    real = [data.constant(f"fm_real{n}") for n in range(4)]
    data.compare(feature_matching(fake, real), "fm")


@pytest.mark.parametrize(("form", "name"), [("released", "sil"), ("paper", "sil_paper")])
def test_occupancy_parity(data: Fixtures, form: Form, name: str) -> None:
    data.compare(occupancy(data.leaf("sil_pred"), data.constant("sil_target"), form), name)


@pytest.mark.parametrize(("form", "name"), [("released", "ch"), ("paper", "ch_paper")])
def test_chamfer_parity(data: Fixtures, form: Form, name: str) -> None:
    padded = data.leaf("ch_x"), data.constant("ch_y")
    counts = data.constant("ch_x_len"), data.constant("ch_y_len")
    sets = [
        [row[:count] for row, count in zip(rows, lengths, strict=True)]
        for rows, lengths in zip(padded, counts, strict=True)
    ]
    data.compare(chamfer(sets[0], sets[1], form), name)


def test_silhouette_chamfer_parity(data: Fixtures) -> None:
    visible, matte = data.constant("chc_visible").bool(), data.constant("chc_mask")
    assert [len(matte_points(each[0])) for each in matte] == [20, 21]
    draws = [torch.Generator().manual_seed(n) for n in (3, 4)]
    points = data.leaf("chc_points")
    data.compare(silhouette_chamfer(points, visible, matte, draws, "released"), "chc")


@pytest.mark.parametrize(("form", "name"), [("released", "lap_l2"), ("paper", "lap_l1")])
def test_laplacian_parity(data: Fixtures, form: Form, name: str) -> None:
    offsets = data.leaf("lap_offsets")
    around = neighbours(data.constant("lap_faces"), offsets.shape[1])
    data.compare(laplacian(offsets, around, form), name)


def test_laplacian_matrix_parity(data: Fixtures) -> None:
    """The operator itself, column by column: what a unit offset at each vertex gives."""
    wanted = data.constant("lap_matrix")
    around = neighbours(data.constant("lap_faces"), len(wanted))
    unit = torch.eye(len(wanted))[:, :, None].expand(-1, -1, 3)
    lengths = torch.stack([laplacian(each[None], around, "paper") for each in unit])
    assert torch.allclose(lengths * len(wanted) / 3, wanted.abs().sum(0), atol=1e-6)


def test_laplacian_of_flame_parity(data: Fixtures, data_dir: Path) -> None:
    arrays = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    offsets = torch.zeros(1, len(arrays["v_template"]), 3)
    offsets[0, data.constant("lapF_index").long()] = data.constant("lapF_offsets")
    around = neighbours(torch.from_numpy(arrays["faces"].astype(np.int64)), offsets.shape[1])
    data.compare(laplacian(offsets.requires_grad_(), around, "released"), "lapF_l2")


@pytest.mark.parametrize(("form", "name"), FORMS.items())
def test_identity_parity(data: Fixtures, form: Form, name: str) -> None:
    data.compare(identity(data.leaf("id_a"), data.constant("id_b"), form), f"id_{name}")


def test_landmarks_parity(data: Fixtures) -> None:
    wanted, weights = data.constant("kp_target"), torch.tensor(LANDMARK_WEIGHTS)
    assert torch.equal(weights, data.constant("kp_weights"))
    data.compare(landmarks(data.leaf("kp_pred"), wanted, weights), "kp")


def test_random_ground_parity(data: Fixtures) -> None:
    made = on_random_ground(*(data.constant(f"bg_{name}") for name in ("img", "logits", "colour")))
    assert (made - data.constant("bg_out")).abs().max() <= 2e-6


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (lambda d: 2 * occupancy(d.leaf("sil_pred"), d.constant("sil_target"), "released"), "sil"),
        (lambda d: discriminator_loss(d.leaf("adv_real"), d.constant("adv_fake")), "adv_dis"),
    ],
)
def test_a_wrong_formula_is_found_parity(
    data: Fixtures, wrong: Callable[[Fixtures], torch.Tensor], name: str
) -> None:
    with pytest.raises(AssertionError):
        data.compare(wrong(data), name)
