# SPDX-License-Identifier: Apache-2.0
"""Tests of core/normals.py: parity, a sphere, unused vertices, and torch against numpy.

Does not know how normals are used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.normals import face_crosses, vertex_normals
from rome_backend.core.types import HeadModel


def test_parity_normals(parity_dir: Path, data_dir: Path) -> None:
    fixture = np.load(parity_dir / "normals.npz")
    flame = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    found = vertex_normals(flame["v_template"], flame["faces"])
    assert np.abs(found - fixture["normals"]).max() < 2e-6


@pytest.mark.parametrize("xp", [np, torch], ids=["numpy", "torch"])
def test_parity_normals_of_random_and_degenerate_faces(parity_dir: Path, xp: object) -> None:
    fixture = np.load(parity_dir / "normals.npz")
    vertices = fixture["rand_vertices"]
    given = torch.tensor(vertices) if xp is torch else vertices
    found = np.asarray(vertex_normals(given, fixture["rand_faces"], xp))
    assert np.abs(found - fixture["rand_normals"]).max() < 2e-6
    assert np.array_equal(found[:, 55:], np.zeros((2, 5, 3))), "unused vertices"


def test_normals_point_out_of_the_small_head(small_head: HeadModel) -> None:
    eye = small_head.regions["left_eyeball"]
    normals = vertex_normals(small_head.template, small_head.faces)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    outward = small_head.template[eye] - small_head.template[eye].mean(0)
    assert np.allclose(normals[eye] * np.linalg.norm(outward, axis=1)[:, None], outward, atol=1e-7)


def test_face_crosses_are_twice_the_area() -> None:
    triangle = np.array([[0.0, 0, 0], [2, 0, 0], [0, 3, 0]])
    assert np.array_equal(face_crosses(triangle, np.array([[0, 1, 2]])), [[0, 0, 6]])


def test_torch_agrees_and_has_finite_gradients(small_head: HeadModel) -> None:
    spare = np.concatenate([small_head.template, np.zeros((1, 3))])
    batch = np.stack([spare, spare * [1, 2, 3]])
    given = torch.tensor(batch, requires_grad=True)
    found = vertex_normals(given, small_head.faces, torch)
    assert np.abs(found.detach().numpy() - vertex_normals(batch, small_head.faces)).max() < 1e-12
    (found * torch.linspace(0, 1, 3)).sum().backward()
    assert bool(torch.isfinite(given.grad).all()), "also at a vertex without faces"


def test_torch_gradient_is_the_finite_difference() -> None:
    rng = np.random.default_rng(0)
    vertices = torch.tensor(rng.normal(size=(6, 3)), requires_grad=True)
    faces = np.array([[0, 1, 2], [2, 3, 4], [0, 4, 1]])
    assert torch.autograd.gradcheck(lambda v: vertex_normals(v, faces, torch), (vertices,))
