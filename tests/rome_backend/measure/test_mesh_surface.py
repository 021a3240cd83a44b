# SPDX-License-Identifier: Apache-2.0
"""Tests of samples, distances and rays on surfaces."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F64, I32
from rome_backend.measure.mesh_surface import (
    Surface,
    distance_to_triangles,
    ray_hits,
    sample_surface,
)


def sphere(rings: int = 48, sectors: int = 96, radius: float = 1.0) -> tuple[F64, I32]:
    """Return a closed sphere."""
    polar = np.linspace(0, np.pi, rings + 1)
    turn = np.linspace(0, 2 * np.pi, sectors, endpoint=False)
    p, t = np.meshgrid(polar, turn, indexing="ij")
    points = np.stack([np.sin(p) * np.cos(t), np.cos(p), np.sin(p) * np.sin(t)], -1)
    ring, sector = np.meshgrid(np.arange(rings), np.arange(sectors), indexing="ij")
    a = ring * sectors + sector
    b = ring * sectors + (sector + 1) % sectors
    faces = np.concatenate(
        [np.stack([a, b, a + sectors], -1), np.stack([b, b + sectors, a + sectors], -1)]
    )
    return radius * points.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32)


def test_samples_are_uniform_by_area() -> None:
    points, faces = sample_surface(*sphere(), count=20_000, seed=1)
    assert points.shape == (20_000, 3) and faces.shape == (20_000,)
    # equal heights of a sphere have equal areas (Archimedes)
    share, _ = np.histogram(points[:, 1], bins=5, range=(-1, 1))
    np.testing.assert_allclose(share / len(points), 0.2, atol=0.015)


def test_samples_stay_above_the_plane_and_follow_the_seed() -> None:
    vertices, faces = sphere()
    points, _ = sample_surface(vertices, faces, 3000, seed=2, lowest=0.3)
    assert len(points) == 3000 and points[:, 1].min() > 0.3
    again, _ = sample_surface(vertices, faces, 3000, seed=2, lowest=0.3)
    other, _ = sample_surface(vertices, faces, 3000, seed=3, lowest=0.3)
    np.testing.assert_array_equal(points, again)
    assert not np.array_equal(points, other)
    with pytest.raises(ValueError, match="no surface"):
        sample_surface(vertices, faces, 10, seed=0, lowest=2.0)


def test_distance_to_a_sphere() -> None:
    surface = Surface(*sphere(96, 192))
    points = np.random.default_rng(0).normal(size=(500, 3))
    expected = np.abs(np.linalg.norm(points, axis=1) - 1)
    np.testing.assert_allclose(surface.distance(points), expected, atol=1e-3)


def test_distance_to_a_triangle_knows_plane_edges_and_corners() -> None:
    triangle = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    points = np.array([[0.2, 0.2, 0.7], [0.5, -2, 0], [3, 0, 0], [1, 1, 0], [-3, -4, 0]])
    found = distance_to_triangles(points, np.repeat(triangle[None], len(points), axis=0))
    np.testing.assert_allclose(found, [0.7, 2, 2, np.sqrt(0.5), 5], atol=1e-12)


def test_a_degenerate_triangle_is_a_line() -> None:
    line = np.array([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0]]])
    np.testing.assert_allclose(distance_to_triangles(np.array([[1.0, 3, 0]]), line), [3.0])


def test_rays_meet_the_near_side_first() -> None:
    vertices, faces = sphere()
    rays = np.array([[0.0, 0, -1], [0.1, 0.05, -1], [1, 0, 0]])
    points, facing = ray_hits(np.array([0.0, 0, 5]), rays, vertices, faces)
    np.testing.assert_allclose(points[0], [0, 0, 1], atol=2e-3)
    assert facing[0] > 0.99 and 0.6 < facing[1] < facing[0]
    assert points[1, 2] > 0 and abs(np.linalg.norm(points[1]) - 1) < 5e-3
    assert np.isnan(points[2]).all() and facing[2] == 0


def test_rays_go_forward_only() -> None:
    points, _ = ray_hits(np.array([0.0, 0, 5]), np.array([[0.0, 0, 1]]), *sphere())
    assert np.isnan(points).all()
