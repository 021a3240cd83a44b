# SPDX-License-Identifier: Apache-2.0
"""Losses of meshes and point sets: invariances, empty sets, repeatable draws."""

from __future__ import annotations

import pytest
import torch

from rome_backend.core.types import HeadModel
from training.losses.chamfer import chamfer, matte_points, silhouette_chamfer
from training.losses.geometry import landmarks, laplacian, neighbours


def test_equal_offsets_have_no_laplacian_and_a_spike_has(small_head: HeadModel) -> None:
    count = len(small_head.template)
    around = neighbours(torch.as_tensor(small_head.faces), count)
    flat = torch.full((1, count, 3), 0.01)
    assert laplacian(flat, around).item() == pytest.approx(0, abs=1e-8)
    spike = flat.clone()
    spike[0, 5, 1] += 0.02
    paper, released = laplacian(spike, around), laplacian(spike, around, "released")
    assert paper.item() == pytest.approx(2 * 0.02 / count, rel=0.5)
    assert paper.item() == pytest.approx(released.item(), rel=1e-5)  # along one axis they agree
    spike[0, 5, 2] += 0.02
    assert laplacian(spike, around) > 1.3 * laplacian(spike, around, "released")


def test_a_vertex_without_neighbours_costs_nothing() -> None:
    around = neighbours(torch.tensor([[0, 1, 2]]), 4)
    offsets = torch.zeros(1, 4, 3)
    offsets[0, 3] = 1
    assert laplacian(offsets, around).item() == 0


def test_landmarks_of_weight_0_do_not_count() -> None:
    wanted = torch.zeros(2, 3, 2)
    found = wanted.clone()
    found[:, 2] = 5
    assert landmarks(found, wanted, torch.tensor([1.0, 1.0, 0.0])).item() == 0
    assert landmarks(found, wanted, torch.tensor([0.0, 0.0, 2.0])).item() == 5


def test_chamfer_of_shifted_points_is_their_shift() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    shifted = points + torch.tensor([0.1, 0.0])
    assert chamfer([points], [shifted]).item() == pytest.approx(0.1)
    assert chamfer([points], [shifted], "released").item() == pytest.approx(2 * 0.01)


def test_chamfer_of_an_empty_set_is_0_and_of_coinciding_points_has_a_gradient() -> None:
    points = torch.rand(4, 2, requires_grad=True)
    empty = torch.zeros(0, 2)
    loss = chamfer([points, points], [empty, points.detach()])
    loss.backward()
    assert loss.item() == 0 and points.grad is not None and points.grad.eq(0).all()
    with pytest.raises(ValueError, match="no point sets"):
        chamfer([], [])


def test_pixels_of_a_matte_lie_at_their_centres() -> None:
    matte = torch.zeros(4, 8)
    matte[1, 6] = 1
    assert matte_points(matte).tolist() == [[2 * 6.5 / 8 - 1, 2 * 1.5 / 4 - 1]]
    assert matte_points(matte, "released").tolist() == [[2 * 6 / 8 - 1, 2 * 1 / 4 - 1]]


def test_the_silhouette_s_draws_depend_on_the_seed_alone_and_pull_inwards() -> None:
    matte = torch.zeros(1, 1, 16, 16)
    matte[..., 4:12, 4:12] = 1
    points = 2 * torch.rand(1, 200, 2, generator=torch.Generator().manual_seed(1)) - 1
    visible = torch.rand(1, 200, generator=torch.Generator().manual_seed(2)) < 0.7

    def loss(seed: int) -> torch.Tensor:
        draw = torch.Generator().manual_seed(seed)
        return silhouette_chamfer(points, visible, matte, [draw])

    points.requires_grad_()
    assert loss(1).item() == loss(1).item() != loss(2).item()
    loss(1).backward()
    grad = points.grad[0]
    assert grad[~visible[0]].eq(0).all()
    outside = (
        visible[0] & (points[0].detach().abs().max(-1).values > 0.7) & (grad.abs().sum(-1) > 0)
    )
    assert outside.sum() > 5
    assert ((grad * points.detach()[0]).sum(-1)[outside] > 0).all()
