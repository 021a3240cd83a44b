# SPDX-License-Identifier: Apache-2.0
"""Interpolation over fragments, by property and against PyTorch3D's fixtures.

Does not test which face a pixel shows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.render.interpolate import interpolate_corners, interpolate_vertices
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.texture import uv_image_ndc


def scene(count: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.manual_seed(4)
    vertices = torch.rand(count, 30, 3, generator=generator) * 2 - 1
    return vertices, torch.arange(30).view(-1, 3)


def test_interpolating_the_vertices_gives_the_pixel_centres() -> None:
    vertices, faces = scene()
    fragments = TorchRasterizer().rasterize(vertices, faces, 12, 18)
    points = interpolate_vertices(fragments, faces, vertices)
    n, i, j = fragments.covered().nonzero(as_tuple=True)
    assert len(set(n.tolist())) == 2
    assert torch.allclose(points[n, i, j, 0], (2 * j + 1) / 18 - 1, atol=2e-4)
    assert torch.allclose(points[n, i, j, 1], (2 * i + 1) / 12 - 1, atol=2e-4)
    assert torch.all(points[~fragments.covered()] == 0)


def test_shared_and_per_picture_attributes_agree() -> None:
    vertices, faces = scene()
    fragments = TorchRasterizer().rasterize(vertices, faces, 16, 16)
    shared = torch.rand(30, 5, generator=torch.manual_seed(1))
    one = interpolate_vertices(fragments, faces, shared)
    each = interpolate_vertices(fragments, faces, shared.expand(2, -1, -1))
    corners = interpolate_corners(fragments, shared[faces])
    assert torch.equal(one, each)
    assert torch.equal(one, corners)


@pytest.mark.parametrize("camera", [0, 1])
@pytest.mark.parametrize("size", [64, 128])
def test_attributes_and_gradients_parity(parity_dir: Path, camera: int, size: int) -> None:
    data = np.load(parity_dir / "raster.npz")
    prefix = f"cam{camera}_{size}_"
    vertices = torch.as_tensor(data[f"cam{camera}_vertices"])[None].requires_grad_()
    faces = torch.as_tensor(data["faces"].astype(np.int64))
    attributes = torch.as_tensor(data["corner_attributes"].astype(np.float32))
    fragments = TorchRasterizer(1e-8).rasterize(vertices, faces, size, size)
    values = interpolate_corners(fragments, attributes)[0].permute(2, 0, 1)
    got, expected = values[:, ::2, ::2].detach().numpy(), data[prefix + "attr"]
    same = fragments.face_index[0].numpy() == data[prefix + "pix_to_face"]
    assert np.abs(got - expected)[:, same[::2, ::2]].max() < 1e-5
    weight = torch.as_tensor(data[prefix + "attr_weight"].astype(np.float32))[:4]
    (values * weight).sum().backward()
    assert vertices.grad is not None
    gradient, reference = vertices.grad[0].numpy(), data[prefix + "attr_grad"]
    assert np.abs(gradient - reference).max() < 1e-5 * np.abs(reference).max()


@pytest.mark.parametrize("size", [64, 128])
def test_xyz_texture_parity(parity_dir: Path, data_dir: Path, size: int) -> None:
    data = np.load(parity_dir / "uv_texture.npz")
    head = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    layout = uv_image_ndc(torch.as_tensor(data["uv"]))[None]
    fragments = TorchRasterizer(1e-8).rasterize(
        layout, torch.as_tensor(data["uv_faces"].astype(np.int64)), size, size
    )
    points = 5 * torch.as_tensor(head["v_template"])
    faces = torch.as_tensor(data["faces"].astype(np.int64))
    texture = interpolate_vertices(fragments, faces, points)[0].permute(2, 0, 1).numpy()
    expected = data[f"xyz_{size}"]
    covered = np.any(expected != 0, axis=0)
    ours = fragments.covered()[0].numpy()
    assert (covered != ours).sum() <= 0.001 * covered.sum()
    assert np.abs(texture - expected)[:, covered & ours].max() < 1e-5
