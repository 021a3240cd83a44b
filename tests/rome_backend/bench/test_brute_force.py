# SPDX-License-Identifier: Apache-2.0
"""The brute-force peers compute what ours compute: else a ratio would say nothing."""

from __future__ import annotations

import pytest
import torch

from rome_backend.bench.brute_force import nearest_faces, soft_alpha
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.silhouette import Softness, soft_silhouette

SOFT = Softness(blur_radius=0.01, sigma=0.01, faces_per_pixel=4)


def mesh(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    centres = torch.rand(8, 1, 3, generator=generator) * 2 - 1
    vertices = (centres + 0.4 * torch.randn(8, 3, 3, generator=generator)).view(-1, 3)
    return vertices, torch.arange(24).view(-1, 3)


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_faces_are_those_of_our_rasterizer(seed: int) -> None:
    vertices, faces = mesh(seed)
    ours = TorchRasterizer().rasterize(vertices[None], faces, 24, 20).face_index[0]
    assert torch.equal(nearest_faces(vertices, faces, 24, 20), ours.long())


@pytest.mark.parametrize("seed", range(3))
def test_the_soft_silhouette_and_its_gradient_are_ours(seed: int) -> None:
    vertices, faces = mesh(seed)
    one, other = vertices.clone().requires_grad_(), vertices.clone().requires_grad_()
    expected = soft_silhouette(one[None], faces, 18, 24, SOFT).alpha[0]
    found = soft_alpha(other, faces, 18, 24, SOFT)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    expected.square().sum().backward()
    found.square().sum().backward()
    assert one.grad is not None and other.grad is not None
    cosine = torch.cosine_similarity(one.grad.flatten(), other.grad.flatten(), dim=0)
    assert cosine > 0.9999


def test_an_empty_corner_of_the_picture_stays_empty() -> None:
    vertices = torch.tensor([[-0.9, -0.9, 0], [-0.5, -0.9, 0], [-0.9, -0.5, 0]])
    faces = torch.tensor([[0, 1, 2]])
    assert nearest_faces(vertices, faces, 16, 16)[8:, 8:].eq(-1).all()
    assert soft_alpha(vertices, faces, 16, 16, Softness())[8:, 8:].eq(0).all()


def test_every_third_row_is_that_row_of_the_whole_picture() -> None:
    vertices, faces = mesh(5)
    whole = nearest_faces(vertices, faces, 12, 10)
    assert torch.equal(nearest_faces(vertices, faces, 12, 10, every=3), whole[::3])
    soft = soft_alpha(vertices, faces, 12, 10, SOFT)
    torch.testing.assert_close(soft_alpha(vertices, faces, 12, 10, SOFT, every=3), soft[::3])
