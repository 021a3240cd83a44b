# SPDX-License-Identifier: Apache-2.0
"""The rasterizer against a brute-force oracle, hostile meshes and PyTorch3D's fixtures.

Does not test shading or interpolation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.render.rasterizer import TorchRasterizer, image_ndc

PYTORCH3D_EPSILON = 1e-8


def brute_force(
    vertices: np.ndarray, faces: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pixel against every face in float64: index, depth, distance to the nearest edge."""
    y, x = np.meshgrid(
        (2 * np.arange(height) + 1) / height - 1,
        (2 * np.arange(width) + 1) / width - 1,
        indexing="ij",
    )
    index = np.full((height, width), -1)
    depth = np.full((height, width), np.inf)
    doubt = np.full((height, width), np.inf)
    for number, face in enumerate(faces):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = vertices[face].astype(np.float64)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or not np.isfinite(area):
            continue
        wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
        wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
        wc = 1 - wa - wb
        inside = np.minimum(np.minimum(wa, wb), wc)
        doubt = np.minimum(doubt, np.abs(inside))
        z = wa * az + wb * bz + wc * cz
        nearer = (inside >= 0) & (z < depth)
        doubt = np.where(
            (inside >= 0) & np.isfinite(depth), np.minimum(doubt, abs(z - depth)), doubt
        )
        index[nearer], depth[nearer] = number, z[nearer]
    return index, depth, doubt


def rasterize(vertices: np.ndarray, faces: np.ndarray, height: int, width: int):
    tensor = torch.as_tensor(vertices, dtype=torch.float32)[None]
    return TorchRasterizer().rasterize(tensor, torch.as_tensor(faces), height, width)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("height", "width"), [(32, 32), (17, 40), (1, 9)])
def test_agrees_with_brute_force_on_random_triangles(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1.3, 1.3, (40, 1, 3))
    vertices = (centres + rng.normal(0, rng.choice([0.05, 0.6]), (40, 3, 3))).astype(np.float32)
    vertices = vertices.reshape(-1, 3)
    faces = np.arange(120).reshape(-1, 3)
    faces[::2] = faces[::2, ::-1]
    fragments = rasterize(vertices, faces, height, width)
    index, depth, doubt = brute_force(vertices, faces, height, width)
    sure = doubt > 1e-6
    assert sure.mean() > 0.95
    assert np.array_equal(fragments.face_index[0].numpy()[sure], index[sure])
    covered = sure & (index >= 0)
    assert np.allclose(fragments.depth[0].numpy()[covered], depth[covered], atol=2e-4)
    assert np.all(np.isinf(fragments.depth[0].numpy()[sure & (index < 0)]))
    weights = fragments.barycentric[0].numpy()
    assert np.allclose(weights[covered].sum(-1), 1, atol=2e-4)
    assert np.all(weights[index < 0][sure[index < 0]] == 0)


def test_barycentrics_reproduce_the_pixel_centre() -> None:
    vertices = np.array([[-0.9, -0.8, 1], [0.7, -0.5, 2], [0.1, 0.95, 3]], np.float32)
    fragments = rasterize(vertices, np.array([[0, 1, 2]]), 20, 30)
    rows, columns = np.nonzero(fragments.covered()[0].numpy())
    points = fragments.barycentric[0].numpy()[rows, columns] @ vertices
    assert np.allclose(points[:, 0], (2 * columns + 1) / 30 - 1, atol=1e-6)
    assert np.allclose(points[:, 1], (2 * rows + 1) / 20 - 1, atol=1e-6)
    assert np.allclose(points[:, 2], fragments.depth[0].numpy()[rows, columns], atol=1e-6)


def test_shared_edges_leave_no_holes_even_through_pixel_centres() -> None:
    side = 9
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    points = np.c_[(2 * grid + 1) / side - 1, np.ones(len(grid))].astype(np.float32)
    quad = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.r_[
        np.stack([quad, quad + 1, quad + side], 1),
        np.stack([quad + 1, quad + side + 1, quad + side], 1),
    ]
    index = rasterize(points, faces, side, side).face_index[0].numpy()
    assert np.all(index >= 0)


def test_equal_depth_goes_to_the_lowest_face_index() -> None:
    vertices = np.array([[-1, -1, 0.5], [3, -1, 0.5], [-1, 3, 0.5]], np.float32)
    index = rasterize(vertices, np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]]), 8, 8).face_index
    assert torch.all(index == 0)


def test_negative_and_zero_depths_are_ordered() -> None:
    triangle = np.array([[-1, -1], [3, -1], [-1, 3]])
    depths = [0.25, -0.0, -3.5, 1e-30, -3.4999]
    vertices = np.concatenate([np.c_[triangle, np.full(3, z)] for z in depths])
    fragments = rasterize(vertices, np.arange(15).reshape(-1, 3), 4, 4)
    assert torch.all(fragments.face_index == 2)
    assert torch.allclose(fragments.depth, torch.tensor(-3.5))


def test_hostile_faces_are_left_out() -> None:
    inf, nan = np.inf, np.nan
    vertices = np.array(
        [[-1, -1, 1], [1, -1, 1], [0, 1, 1], [nan, 0, 0], [inf, 0, 0], [0, 0, nan], [0.5, -1, 1]]
    )
    faces = np.array([[0, 1, 3], [0, 1, 4], [0, 1, 5], [0, 0, 1], [2, 2, 2], [0, 6, 1]])
    assert not rasterize(vertices, faces, 16, 16).covered().any()
    mixed = np.r_[faces, [[0, 1, 2]]]
    found = rasterize(vertices, mixed, 16, 16).face_index.unique().tolist()
    assert found == [-1, 6]


def test_faces_outside_and_an_empty_mesh_draw_nothing() -> None:
    vertices = np.array([[2, 2, 1], [3, 2, 1], [2, 3, 1]], np.float32)
    assert not rasterize(vertices, np.array([[0, 1, 2]]), 8, 8).covered().any()
    assert not rasterize(vertices, np.zeros((0, 3), int), 8, 8).covered().any()


def test_huge_triangles_are_cut_to_the_picture() -> None:
    vertices = np.array([[-1e4, -1e4, 1], [1e4, -1e4, 1], [0, 1e4, 1]], np.float32)
    assert rasterize(vertices, np.array([[0, 1, 2]]), 64, 48).covered().all()


def test_batches_are_independent() -> None:
    rng = np.random.default_rng(3)
    vertices = torch.as_tensor(rng.uniform(-1, 1, (3, 60, 3)), dtype=torch.float32)
    faces = torch.arange(60).view(-1, 3)
    together = TorchRasterizer().rasterize(vertices, faces, 24, 24)
    for number in range(3):
        alone = TorchRasterizer().rasterize(vertices[number : number + 1], faces, 24, 24)
        assert torch.equal(together.face_index[number], alone.face_index[0])
        assert torch.equal(together.barycentric[number], alone.barycentric[0])


def test_many_full_size_triangles_stay_within_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "rome_backend.render.rasterizer"
    rng = np.random.default_rng(5)
    vertices = rng.uniform(-2, 2, (90, 3)).astype(np.float32)
    faces = np.arange(90).reshape(-1, 3)
    whole = rasterize(vertices, faces, 40, 40)
    monkeypatch.setattr(f"{module}._MAX_ROWS", 7)
    monkeypatch.setattr(f"{module}._MAX_PIXELS", 11)
    assert torch.equal(rasterize(vertices, faces, 40, 40).face_index, whole.face_index)


def test_depth_and_barycentrics_are_differentiable() -> None:
    vertices = torch.tensor(
        [[[-0.9, -0.8, 1.0], [0.8, -0.7, 2.0], [0.05, 0.9, 3.0]]], dtype=torch.float64
    )
    faces = torch.tensor([[0, 1, 2]])
    weight = torch.rand(5, 5, 3, generator=torch.manual_seed(0), dtype=torch.float64)

    def loss(points: torch.Tensor) -> torch.Tensor:
        fragments = TorchRasterizer().rasterize(points, faces, 5, 5)
        depth = torch.where(fragments.covered(), fragments.depth, torch.zeros_like(fragments.depth))
        return (fragments.barycentric * weight).sum() + depth.sum()

    assert torch.autograd.gradcheck(loss, vertices.requires_grad_())


@pytest.mark.parametrize(
    ("vertices", "faces", "height"),
    [
        (torch.zeros(3, 3), torch.zeros(1, 3, dtype=torch.long), 4),
        (torch.zeros(1, 3, 3), torch.zeros(3, dtype=torch.long), 4),
        (torch.zeros(1, 3, 3), torch.zeros(1, 3, dtype=torch.long), 0),
    ],
)
def test_wrong_shapes_raise(vertices: torch.Tensor, faces: torch.Tensor, height: int) -> None:
    with pytest.raises(ValueError, match="must"):
        TorchRasterizer().rasterize(vertices, faces, height, 4)


def test_points_behind_a_perspective_camera_drop_their_faces() -> None:
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[3] = torch.tensor([0.0, 0.0, -1.0, 0.0])
    points = torch.tensor([[-1.0, -1, -2], [1, -1, -2], [0, 1, -2], [0, 1, 2]])
    screen = image_ndc(points.double(), matrix)
    assert torch.isnan(screen[3]).all()
    assert torch.allclose(screen[0, :2], torch.tensor([-0.5, 0.5], dtype=torch.float64))
    faces = np.array([[0, 1, 3], [0, 1, 2]])
    found = rasterize(screen.numpy(), faces, 16, 16).face_index.unique().tolist()
    assert found == [-1, 1]


@pytest.mark.parametrize("camera", [0, 1])
@pytest.mark.parametrize("size", [64, 128])
def test_hard_pass_parity(parity_dir: Path, camera: int, size: int) -> None:
    data = np.load(parity_dir / "raster.npz")
    vertices = torch.as_tensor(data[f"cam{camera}_vertices"])[None]
    faces = torch.as_tensor(data["faces"].astype(np.int64))
    fragments = TorchRasterizer(PYTORCH3D_EPSILON).rasterize(vertices, faces, size, size)
    expected = data[f"cam{camera}_{size}_pix_to_face"]
    covered = expected >= 0
    same = (fragments.face_index[0].numpy() == expected) & covered
    assert (~same & covered).sum() <= 0.001 * covered.sum()
    weights = np.zeros((size, size, 3), np.float32)
    weights[covered] = data[f"cam{camera}_{size}_bary"]
    assert np.abs(fragments.barycentric[0].numpy() - weights)[same].max() < 1e-5
    if f"cam{camera}_{size}_zbuf" in data:
        depth = data[f"cam{camera}_{size}_zbuf"]
        assert np.abs(fragments.depth[0].numpy() - depth)[same].max() < 5e-5
