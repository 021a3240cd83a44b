# SPDX-License-Identifier: Apache-2.0
"""Laplacian and spreading against shapes whose answers are known.

Does not know the head.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.laplacian import (
    BilaplacianSpread,
    adjacency,
    bilaplacian,
    cotangent_laplacian,
    vertex_areas,
)


def grid(side: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A flat, slightly jittered lattice of nearly equilateral triangles, in the plane z = 0."""
    row, column = np.mgrid[:side, :side] / (side - 1)
    jitter = np.random.default_rng(seed).uniform(-0.1, 0.1, (side, side, 2)) / side
    jitter[[0, -1]] = jitter[:, [0, -1]] = 0
    points = np.dstack([column - row / 2, row * np.sqrt(0.75)]) + jitter
    number = np.arange(side * side).reshape(side, side)
    a, b, c, d = (n.ravel() for n in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:],
                                      number[1:, :-1]))  # fmt: skip
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return np.column_stack([points.reshape(-1, 2), np.zeros(side * side)]), faces


def inner(side: int) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[1:-1, 1:-1] = True
    return mask.ravel()


def test_adjacency_is_symmetric_and_counts_each_edge_once() -> None:
    edges = adjacency(np.array([[0, 1, 2], [0, 2, 3]]), 5).toarray()
    expected = np.zeros((5, 5))
    for a, b in ((0, 1), (1, 2), (0, 2), (2, 3), (0, 3)):
        expected[a, b] = expected[b, a] = 1
    np.testing.assert_array_equal(edges, expected)


def test_areas_share_the_surface() -> None:
    vertices, faces = grid(6)
    assert vertex_areas(vertices, faces).sum() == pytest.approx(np.sqrt(0.75))


def test_area_is_never_zero() -> None:
    vertices = np.zeros((4, 3))
    assert (vertex_areas(vertices, np.array([[0, 1, 2]])) > 0).all()


def test_laplacian_of_a_linear_function_vanishes_inside() -> None:
    vertices, faces = grid(9)
    laplacian, _ = cotangent_laplacian(vertices, faces)
    linear = vertices @ (2.0, -3.0, 0.0) + 0.7
    np.testing.assert_allclose((laplacian @ linear)[inner(9)], 0, atol=1e-9)
    np.testing.assert_allclose(laplacian @ np.ones(len(vertices)), 0, atol=1e-12)


def test_laplacian_is_the_dirichlet_energy() -> None:
    # The function x has gradient 1 everywhere: its energy is the area.
    vertices, faces = grid(7)
    laplacian, _ = cotangent_laplacian(vertices, faces)
    x = vertices[:, 0]
    assert x @ laplacian @ x == pytest.approx(np.sqrt(0.75), rel=1e-9)


def test_slivers_keep_the_energy_positive() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1e-9, 0], [0.5, -1.0, 0]])
    energy = bilaplacian(vertices, np.array([[0, 1, 2], [1, 0, 3]])).toarray()
    assert np.isfinite(energy).all()
    assert np.linalg.eigvalsh(energy).min() > -1e-9


def test_bilaplacian_is_symmetric_and_scaled() -> None:
    energy = bilaplacian(*grid(8))
    assert abs(energy - energy.T).max() < 1e-12
    assert np.abs(energy.diagonal()).mean() == pytest.approx(1.0)


def test_spread_passes_through_its_targets() -> None:
    vertices, faces = grid(11)
    handles = np.array([12, 60, 107])
    targets = np.random.default_rng(1).normal(size=(3, 2))
    found = BilaplacianSpread(bilaplacian(vertices, faces), handles, smoothness=1e-6)(targets)
    assert found.shape == (121, 2)
    np.testing.assert_allclose(found[handles], targets, atol=1e-3)


def test_spread_of_a_constant_is_that_constant() -> None:
    vertices, faces = grid(8)
    spread = BilaplacianSpread(bilaplacian(vertices, faces), [9, 20, 54], damping=1e-12)
    np.testing.assert_allclose(spread(np.full(3, 4.0)), 4.0, atol=1e-3)


def test_spread_is_linear_and_keeps_trailing_axes() -> None:
    vertices, faces = grid(8)
    spread = BilaplacianSpread(bilaplacian(vertices, faces), [3, 30, 40])
    a, b = np.random.default_rng(2).normal(size=(2, 3, 4, 5))
    assert spread(a).shape == (64, 4, 5)
    np.testing.assert_allclose(spread(2 * a + b), 2 * spread(a) + spread(b), atol=1e-9)


def test_fixed_vertices_stay_at_zero() -> None:
    vertices, faces = grid(9)
    fixed = vertices[:, 0] > 0.6
    spread = BilaplacianSpread(
        bilaplacian(vertices, faces), [10], fixed=fixed, fixed_weight=1e4, smoothness=1e-3
    )
    found = spread(np.array([1.0]))
    assert np.abs(found[fixed]).max() < 1e-6
    assert found[10] > 0.9


def test_weak_handles_give_way_to_strong_ones() -> None:
    vertices, faces = grid(9)
    energy = bilaplacian(vertices, faces)
    spread = BilaplacianSpread(energy, [40, 41], weight=[1.0, 1e-6], smoothness=1e-2)
    found = spread(np.array([1.0, -1.0]))
    assert found[40] == pytest.approx(1.0, abs=0.1)
    assert found[41] > 0.5


def test_a_handle_named_twice_takes_the_mean() -> None:
    vertices, faces = grid(6)
    spread = BilaplacianSpread(bilaplacian(vertices, faces), [14, 14, 3, 33], smoothness=1e-9)
    assert spread(np.array([1.0, 3.0, 0.0, 0.0]))[14] == pytest.approx(2.0, abs=1e-3)
