# SPDX-License-Identifier: Apache-2.0
"""Soft silhouettes against a float64 brute-force oracle and PyTorch3D's fixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.silhouette import Softness, soft_silhouette, squared_distance

WIDE = Softness(blur_radius=0.02, sigma=0.01, faces_per_pixel=3)


def brute_alpha(
    vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int, softness: Softness
) -> torch.Tensor:
    """Every pixel against every face in float64, written pixel by pixel."""
    alpha = torch.zeros(height, width, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            centre = vertices.new_tensor([(2 * j + 1) / width - 1, (2 * i + 1) / height - 1])
            found = []
            for face in faces.tolist():
                hit = _brute_hit(vertices[face], centre, softness)
                if hit is not None:
                    found.append(hit)
            found.sort(key=lambda hit: hit[0])
            free = torch.ones((), dtype=torch.float64)
            for _, distance in found[: softness.faces_per_pixel]:
                free = free * (1 - torch.sigmoid(-distance / softness.sigma))
            alpha[i, j] = 1 - free
    return alpha


def _brute_hit(
    corners: torch.Tensor, centre: torch.Tensor, softness: Softness
) -> tuple[float, torch.Tensor] | None:
    a, b, c = corners[:, :2]
    matrix = torch.stack([b - a, c - a], dim=1)
    u, v = torch.linalg.solve(matrix, centre - a)
    weights = torch.stack([1 - u - v, u, v])
    squared = []
    for p, q in ((a, b), (b, c), (c, a)):
        t = torch.clamp(torch.dot(centre - p, q - p) / torch.dot(q - p, q - p), 0, 1)
        squared.append(((centre - p - t * (q - p)) ** 2).sum())
    distance = torch.stack(squared).min()
    if bool((weights > 0).all()):
        distance = -distance
    depth = (weights * corners[:, 2]).sum().item()
    if distance >= softness.blur_radius or depth < softness.least_depth:
        return None
    return depth, distance


def random_mesh(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1, 1, (6, 1, 3))
    vertices = (centres + rng.normal(0, 0.4, (6, 3, 3))).reshape(-1, 3)
    return torch.as_tensor(vertices), torch.arange(18).view(-1, 3)


@pytest.mark.parametrize("seed", range(3))
def test_values_and_gradients_agree_with_brute_force(seed: int) -> None:
    vertices, faces = random_mesh(seed)
    height, width = 9, 12
    weight = torch.rand(height, width, generator=torch.manual_seed(seed), dtype=torch.float64)
    ours, theirs = (vertices.clone().requires_grad_() for _ in range(2))
    found = soft_silhouette(ours[None], faces, height, width, WIDE).alpha[0]
    expected = brute_alpha(theirs, faces, height, width, WIDE)
    assert (found - expected).abs().max() < 1e-6
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    assert ours.grad is not None and theirs.grad is not None
    assert (ours.grad - theirs.grad).abs().max() < 1e-5 * theirs.grad.abs().max()


@pytest.mark.parametrize("camera", [0, 1])
@pytest.mark.parametrize("size", [64, 128])
def test_soft_pass_parity(parity_dir: Path, camera: int, size: int) -> None:
    data = np.load(parity_dir / "raster.npz")
    prefix = f"cam{camera}_{size}_"
    vertices = torch.as_tensor(data[f"cam{camera}_vertices"])[None].requires_grad_()
    faces = torch.as_tensor(data["faces"].astype(np.int64))
    softness = Softness(least_depth=0.0)  # 10 was added to the fixture's depths
    found = soft_silhouette(vertices, faces, size, size, softness)
    error = np.abs(found.alpha[0].detach().numpy() - data[prefix + "alpha"])
    assert (error > 1e-5).sum() <= 0.0005 * error.size and error.max() <= 5e-3
    visible = found.visible[0].numpy() != data[prefix + "visible"].astype(bool)
    assert visible.sum() <= 5
    weight = torch.as_tensor(data[prefix + "alpha_weight"].astype(np.float32))
    (found.alpha[0] * weight).sum().backward()
    assert vertices.grad is not None
    gradient, expected = vertices.grad[0].double().numpy(), data[prefix + "alpha_grad"]
    largest = np.abs(expected).max()
    off = np.abs(gradient - expected).max(1)
    assert (off > 1e-3 * largest).sum() <= 5 and off.max() <= 1e-2 * largest
    norms = np.linalg.norm(gradient) * np.linalg.norm(expected)
    assert (gradient * expected).sum() / norms > 0.99999


def triangle() -> tuple[torch.Tensor, torch.Tensor]:
    points = torch.tensor([[[-0.6, -0.6, 1.0], [0.6, -0.6, 1.0], [0.0, 0.6, 1.0]]])
    return points, torch.tensor([[0, 1, 2]])


def test_inside_is_covered_outside_is_not() -> None:
    points, faces = triangle()
    alpha = soft_silhouette(points, faces, 32, 32).alpha[0]
    hard = TorchRasterizer().rasterize(points, faces, 32, 32).covered()[0]
    assert alpha[16, 16] > 0.999
    assert alpha[0, 0] == 0
    assert ((alpha > 0.5) != hard).float().mean() < 0.01


def test_an_outline_asked_to_grow_moves_outwards() -> None:
    points, faces = triangle()
    points.requires_grad_()
    (-soft_silhouette(points, faces, 32, 32, WIDE).alpha.sum()).backward()
    assert points.grad is not None
    assert points.grad[0, 0, 0] > 0 and points.grad[0, 1, 0] < 0 and points.grad[0, 2, 1] < 0
    assert points.grad[..., 2].eq(0).all()


def test_detached_vertices_cover_but_receive_no_gradient() -> None:
    vertices, faces = random_mesh(5)
    detached = torch.zeros(18, dtype=torch.bool)
    detached[3:9] = True
    free, held = (vertices.clone().requires_grad_() for _ in range(2))
    first = soft_silhouette(free[None], faces, 16, 16, WIDE)
    second = soft_silhouette(held[None], faces, 16, 16, WIDE, detached)
    assert torch.equal(first.alpha, second.alpha)
    first.alpha.sum().backward()
    second.alpha.sum().backward()
    assert free.grad is not None and held.grad is not None
    assert held.grad[detached].eq(0).all() and free.grad[detached].abs().max() > 0
    assert torch.equal(held.grad[~detached], free.grad[~detached])


def test_hidden_vertices_are_not_visible() -> None:
    near = torch.tensor([[-1.0, -1, 1], [3, -1, 1], [-1, 3, 1]])
    far = torch.tensor([[-0.5, -0.5, 2], [0.5, -0.5, 2], [0, 0.5, 2]])
    faces = torch.arange(6).view(2, 3)
    found = soft_silhouette(torch.cat([near, far])[None], faces, 16, 16).visible[0]
    assert found.tolist() == [True] * 3 + [False] * 3


def test_pictures_of_a_batch_are_independent() -> None:
    meshes = torch.stack([random_mesh(seed)[0] for seed in (7, 8)])
    faces = random_mesh(7)[1]
    together = soft_silhouette(meshes, faces, 16, 12, WIDE)
    for number in range(2):
        alone = soft_silhouette(meshes[number : number + 1], faces, 16, 12, WIDE)
        assert torch.allclose(together.alpha[number], alone.alpha[0], atol=1e-12)
        assert torch.equal(together.visible[number], alone.visible[0])


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vertices, faces = random_mesh(9)
    whole = soft_silhouette(vertices[None], faces, 16, 16, WIDE).alpha
    monkeypatch.setattr("rome_backend.render.silhouette_hits._MAX_PAIRS", 40)
    assert torch.equal(soft_silhouette(vertices[None], faces, 16, 16, WIDE).alpha, whole)


def test_hostile_faces_and_empty_meshes_cover_nothing() -> None:
    nan = float("nan")
    points = torch.tensor([[[0.0, 0, 1], [0.5, 0, 1], [nan, 0.5, 1], [0.25, 0, 1], [0, 1, nan]]])
    faces = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 0, 0], [0, 1, 4]])
    found = soft_silhouette(points, faces, 8, 8)
    assert found.alpha.eq(0).all() and not found.visible.any()
    empty = soft_silhouette(points, faces[:0], 8, 8)
    assert empty.alpha.shape == (1, 8, 8) and empty.alpha.eq(0).all()


def test_distances_are_to_segments_not_lines() -> None:
    start, end = torch.tensor([[0.0, 0]]).expand(4, 2), torch.tensor([[4.0, 0]]).expand(4, 2)
    points = torch.tensor([[1.0, 0.5], [-3, -4], [6, 0], [2, 0]])
    assert squared_distance(start, end, points).tolist() == [0.25, 25, 4, 0]
    assert squared_distance(start, start, points)[1] == 25


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"height": 0}, "pixels"),
        ({"detached": torch.zeros(2, dtype=torch.bool)}, "detached"),
        ({"vertices": torch.zeros(3, 3)}, "vertices"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict, words: str) -> None:
    points, faces = triangle()
    arguments = {"vertices": points, "faces": faces, "height": 4, "width": 4} | changes
    with pytest.raises(ValueError, match=words):
        soft_silhouette(**arguments)


@pytest.mark.parametrize("changes", [{"blur_radius": -1.0}, {"sigma": 0.0}, {"faces_per_pixel": 0}])
def test_softness_needs_positive_numbers(changes: dict) -> None:
    with pytest.raises(ValueError, match="positive"):
        Softness(**changes)
