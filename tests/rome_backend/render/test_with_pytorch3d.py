# SPDX-License-Identifier: Apache-2.0
"""The optional rasterizer: its absence in one sentence, and its conventions.

Where PyTorch3D is not installed, a stand-in with its documented conventions takes its place:
x left, y up, the shorter side -1..1, packed face numbers, nothing behind z = 0.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from rome_backend.core.errors import AssetMissing
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.silhouette import Softness, soft_silhouette, squared_distance
from rome_backend.render.with_pytorch3d import PyTorch3DRasterizer


def _stand_in(meshes: SimpleNamespace, image_size: tuple[int, int], **settings: object) -> tuple:
    """Brute force in float64 with PyTorch3D's conventions, nearest face of every pixel."""
    assert settings == {
        "blur_radius": 0.0,
        "faces_per_pixel": 1,
        "perspective_correct": False,
        "clip_barycentric_coords": False,
        "cull_backfaces": False,
    }
    height, width = image_size
    short = min(height, width)
    y, x = np.meshgrid(
        (height - 2 * np.arange(height) - 1) / short,
        (width - 2 * np.arange(width) - 1) / short,
        indexing="ij",
    )
    index = np.full((len(meshes.verts), height, width, 1), -1)
    for number, (points, faces) in enumerate(zip(meshes.verts, meshes.faces, strict=True)):
        nearest = np.full((height, width), np.inf)
        for face, corners in enumerate(points[faces].double().numpy()):
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            if not abs(area) > 1e-8:
                continue
            wb = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
            wc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
            z = (1 - wb - wc) * az + wb * bz + wc * cz
            hit = (wb > 0) & (wc > 0) & (wb + wc < 1) & (z >= 0) & (z < nearest)
            nearest[hit] = z[hit]
            index[number, hit, 0] = face + number * len(faces)
    return torch.as_tensor(index), None, None, None


@pytest.fixture
def pytorch3d(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("pytorch3d", "renderer", "mesh", "rasterize_meshes")
    for end in range(1, 5):
        monkeypatch.setitem(sys.modules, ".".join(names[:end]), ModuleType(names[end - 1]))
    structures = ModuleType("structures")
    structures.Meshes = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pytorch3d.structures", structures)
    sys.modules[".".join(names)].rasterize_meshes = _stand_in  # type: ignore[attr-defined]


def test_its_absence_is_one_sentence_with_a_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch3d", None)
    with pytest.raises(AssetMissing, match="not installed") as caught:
        PyTorch3DRasterizer()
    assert caught.value.code == "pytorch3d_missing" and caught.value.hint


@pytest.mark.usefixtures("pytorch3d")
@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20), (20, 12)])
def test_it_agrees_with_ours_in_values_and_gradients(height: int, width: int) -> None:
    rng = np.random.default_rng(height)
    start = torch.as_tensor(rng.normal(0, 0.7, (2, 30, 3)), dtype=torch.float64)
    faces = torch.arange(30).view(-1, 3)
    results = []
    for rasterizer in (PyTorch3DRasterizer(), TorchRasterizer(1e-8)):
        vertices = start.clone().requires_grad_()
        fragments = rasterizer.rasterize(vertices, faces, height, width)
        depth = torch.where(fragments.covered(), fragments.depth, 0.0)
        (fragments.barycentric[..., 0] + depth).sum().backward()
        results.append((fragments, vertices.grad))
    (theirs, their_gradient), (ours, our_gradient) = results
    assert torch.equal(theirs.face_index, ours.face_index)
    assert ours.covered().any(dim=(1, 2)).all()
    assert torch.equal(theirs.depth, ours.depth)
    assert torch.equal(their_gradient, our_gradient)


@pytest.mark.usefixtures("pytorch3d")
def test_an_empty_picture_has_infinite_depth() -> None:
    far = torch.tensor([[[5.0, 5, 1], [6, 5, 1], [5, 6, 1]]])
    fragments = PyTorch3DRasterizer().rasterize(far, torch.tensor([[0, 1, 2]]), 8, 8)
    assert not fragments.covered().any() and torch.isinf(fragments.depth).all()


def _soft_stand_in(
    meshes: SimpleNamespace, image_size: tuple[int, int], blur_radius: float,
    faces_per_pixel: int, **settings: object,
) -> tuple:  # fmt: skip
    """The soft pass by brute force with PyTorch3D's conventions, for one square mesh."""
    assert not any(settings.values())
    side = image_size[0]
    steps = (side - 2 * torch.arange(side).double() - 1) / side
    points = torch.stack(torch.meshgrid(steps, steps, indexing="ij")[::-1], -1).view(-1, 2)
    corners = meshes.verts[0][meshes.faces[0]]
    signed, depths = [], []
    for face in corners:
        flat = face[:, :2]
        edges = [
            squared_distance(
                flat[k].expand(len(points), 2), flat[(k + 1) % 3].expand(len(points), 2), points
            )
            for k in range(3)
        ]
        matrix = torch.cat([flat.T, flat.new_ones(1, 3)]).detach()
        weights = torch.linalg.solve(matrix, torch.cat([points, points[:, :1] ** 0], 1).T)
        inside = (weights > 0).all(0)
        distance = torch.stack(edges).amin(0)
        signed.append(torch.where(inside, -distance, distance))
        depths.append((weights * face[:, 2:].detach()).sum(0))
    distance, depth = torch.stack(signed, -1), torch.stack(depths, -1)
    counts = (distance < blur_radius) & (depth >= 0)
    nearest = torch.where(counts, depth, torch.inf).argsort(-1)[:, :faces_per_pixel]
    index = torch.where(counts.gather(1, nearest), nearest, -1)
    shape = (1, side, side, faces_per_pixel)
    return index.view(shape), None, None, distance.gather(1, nearest).view(shape)


@pytest.mark.usefixtures("pytorch3d")
def test_its_soft_silhouette_and_gradient_are_ours() -> None:
    sys.modules["pytorch3d.renderer.mesh.rasterize_meshes"].rasterize_meshes = _soft_stand_in  # type: ignore[attr-defined]
    rng = np.random.default_rng(2)
    start = torch.as_tensor(rng.normal(0, 0.6, (1, 18, 3)), dtype=torch.float64)
    faces = torch.arange(18).view(-1, 3)
    softness = Softness(blur_radius=0.02, sigma=0.02, faces_per_pixel=3)
    theirs, ours = start.clone().requires_grad_(), start.clone().requires_grad_()
    found = PyTorch3DRasterizer().soft_alpha(theirs, faces, 12, softness)
    expected = soft_silhouette(ours, faces, 12, 12, replace(softness, least_depth=-100.0)).alpha
    # a face whose plane dips behind the viewer at a pixel is dropped by theirs alone
    same = (found - expected).abs() < 1e-6
    assert same.float().mean() > 0.9
    (found * same).sum().backward()
    (expected * same).sum().backward()
    assert theirs.grad is not None and ours.grad is not None
    cosine = torch.cosine_similarity(theirs.grad.flatten(), ours.grad.flatten(), dim=0)
    assert cosine > 0.999
