# SPDX-License-Identifier: Apache-2.0
"""Loop subdivision against its known properties, and boundary loops.

Does not know the head.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.subdivision import (
    boundary_loops,
    interpolating_loop,
    subdivision_matrix,
    unique_edges,
)

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])


def hexagon_patch() -> tuple[np.ndarray, np.ndarray]:
    """A vertex with six neighbours round it in the plane."""
    angle = np.arange(6) / 6 * 2 * np.pi
    ring = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    faces = np.array([[0, 1 + k, 1 + (k + 1) % 6] for k in range(6)])
    return np.concatenate([np.zeros((1, 3)), ring]), faces


def test_edges_of_a_tetrahedron() -> None:
    edges, side_edge, uses = unique_edges(TETRAHEDRON)
    assert len(edges) == 6
    assert (uses == 2).all()
    for face, sides in zip(TETRAHEDRON, side_edge, strict=True):
        for k, side in enumerate(sides):
            assert set(edges[side]) == {face[k], face[(k + 1) % 3]}


def test_masks_sum_to_one_and_keep_planes() -> None:
    vertices, faces = hexagon_patch()
    matrix = subdivision_matrix(faces, len(vertices))
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1)
    np.testing.assert_allclose((matrix @ vertices)[:, 2], 0)


def test_masks_are_loops() -> None:
    vertices, faces = hexagon_patch()
    matrix = subdivision_matrix(faces, len(vertices)).toarray()
    edges, _, _ = unique_edges(faces)
    assert matrix[0, 0] == pytest.approx(10 / 16)
    np.testing.assert_allclose(matrix[0, 1:7], 1 / 16)
    spoke = 7 + int(np.flatnonzero((edges == (0, 1)).all(axis=1))[0])
    np.testing.assert_allclose(matrix[spoke, [0, 1]], 3 / 8)
    np.testing.assert_allclose(matrix[spoke, [2, 6]], 1 / 8)
    rim = 7 + int(np.flatnonzero((edges == (1, 2)).all(axis=1))[0])
    np.testing.assert_allclose(matrix[rim, [1, 2]], 1 / 2)
    assert matrix[1, 1] == pytest.approx(3 / 4)
    np.testing.assert_allclose(matrix[1, [2, 6]], 1 / 8)


def test_interpolating_loop_keeps_the_given_vertices() -> None:
    vertices, faces = hexagon_patch()
    vertices[0, 2] = 0.5
    fine, fine_faces, edges = interpolating_loop(vertices, faces)
    np.testing.assert_array_equal(fine[:7], vertices)
    assert fine.shape == (7 + len(edges), 3)
    assert fine_faces.shape == (4 * len(faces), 3)


def test_subdivided_faces_keep_winding_and_area() -> None:
    vertices, faces = hexagon_patch()
    fine, fine_faces, _ = interpolating_loop(vertices, faces)
    a, b, c = (fine[fine_faces[:, k]] for k in range(3))
    areas = np.cross(b - a, c - a)[:, 2] / 2
    assert (areas > 0).all()
    assert len(boundary_loops(fine_faces)) == 1
    assert len(boundary_loops(fine_faces)[0]) == 12


def test_a_closed_mesh_stays_closed() -> None:
    corners = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], float)
    fine, fine_faces, _ = interpolating_loop(corners, TETRAHEDRON)
    assert boundary_loops(fine_faces) == []
    assert len(fine) - len(unique_edges(fine_faces)[0]) + len(fine_faces) == 2


def test_boundary_loops_have_the_hole_to_their_left() -> None:
    _, faces = hexagon_patch()
    assert boundary_loops(faces) == [boundary_loops(faces)[0]]
    loop = boundary_loops(faces)[0]
    # The patch runs counter-clockwise, so the outside lies to the left of a clockwise walk.
    start = loop.index(1)
    assert loop[start:] + loop[:start] == [1, 6, 5, 4, 3, 2]


def test_two_holes_are_two_loops_sorted_by_length() -> None:
    faces = np.array([[0, 1, 2], [3, 4, 5], [3, 5, 6]])
    assert [len(loop) for loop in boundary_loops(faces)] == [3, 4]
