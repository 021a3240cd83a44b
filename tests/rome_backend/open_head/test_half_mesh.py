# SPDX-License-Identifier: Apache-2.0
"""Half meshes: strips, zippers, fans and refinements keep the winding and mirror exactly.

Does not know the head.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.half_mesh import HalfMesh, MirroredMesh
from rome_backend.open_head.subdivision import boundary_loops, unique_edges


def half_disc(columns: int = 5) -> tuple[HalfMesh, list[int], list[int]]:
    """Half a ring in the plane z = 0 seen from +z: an inner arc from the top to the bottom and
    an outer one, joined."""
    angle = np.linspace(0, np.pi, columns)
    arc = np.column_stack([np.sin(angle), np.cos(angle), 0 * angle])
    arc[[0, -1], 0] = 0
    mesh = HalfMesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    inner, outer = mesh.add(arc), mesh.add(2 * arc)
    mesh.strip(inner, outer)
    return mesh, inner, outer


def whole(mesh: HalfMesh, first: int) -> MirroredMesh:
    """Mirror a mesh whose first vertices keep their numbers; partners follow without gaps."""
    numbers, partners, following = [], [], 0
    for point in mesh.points[:first]:
        numbers.append(following)
        following += 1 if point[0] == 0 else 2
        partners.append(following - 1)
    return mesh.mirrored(numbers, partners)


def signed_areas(mesh: MirroredMesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)[:, 2] / 2


def test_strips_lie_to_the_left_of_their_first_ring() -> None:
    mesh, _, _ = half_disc()
    assert (signed_areas(whole(mesh, 5)) > 0).all()


def test_mirrored_mesh_is_closed_across_the_plane() -> None:
    mesh, _, _ = half_disc()
    result = whole(mesh, 5)
    assert result.vertices.shape == (2 * (5 + 3), 3)
    assert [len(loop) for loop in boundary_loops(result.faces)] == [8, 8]
    flipped = result.vertices[result.mirror] * (-1, 1, 1)
    np.testing.assert_array_equal(flipped, result.vertices)
    np.testing.assert_array_equal(result.mirror[result.mirror], np.arange(16))


def test_unused_vertices_vanish() -> None:
    mesh, _, _ = half_disc()
    mesh.add([[9.0, 9.0, 9.0]])
    result = whole(mesh, 5)
    assert result.left[-1] == result.right[-1] == -1
    assert len(result.vertices) == 16
    np.testing.assert_array_equal(np.unique(result.faces), np.arange(16))


def test_first_vertices_keep_the_numbers_given() -> None:
    mesh, _, _ = half_disc()
    # Five vertices of the arc: two on the plane, three pairs with chosen numbers.
    result = mesh.mirrored([7, 2, 4, 0, 5], [7, 3, 6, 1, 5])
    np.testing.assert_allclose(result.vertices[2], mesh.points[1])
    np.testing.assert_allclose(result.vertices[3], mesh.points[1] * (-1, 1, 1))
    assert result.left[5] == result.right[5] == 8


@pytest.mark.parametrize("count", [3, 4, 9])
def test_zipper_joins_arcs_of_any_length(count: int) -> None:
    mesh, _, outer = half_disc()
    angle = np.linspace(0, np.pi, count)
    far = np.column_stack([3 * np.sin(angle), 3 * np.cos(angle), 0 * angle])
    far[[0, -1], 0] = 0
    before = len(mesh.faces)
    mesh.zipper(outer, mesh.add(far))
    assert len(mesh.faces) - before == len(outer) - 1 + count - 1
    result = whole(mesh, 5)
    _, _, uses = unique_edges(result.faces)
    assert uses.max() == 2
    sides = {(int(a), int(b)) for f in result.faces for a, b in zip(f, np.roll(f, -1), strict=True)}
    assert len(sides) == 3 * len(result.faces)


def test_fan_closes_a_ring() -> None:
    mesh = HalfMesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    angle = np.arange(6) / 6 * 2 * np.pi
    ring = mesh.add(np.column_stack([3 + np.cos(angle), np.sin(angle), 0 * angle]))
    inner = mesh.add(np.column_stack([3 + np.cos(angle) / 2, np.sin(angle) / 2, 0 * angle]))
    mesh.strip(ring, inner, closed=True)
    mesh.fan(inner, mesh.add([[3.0, 0.0, 0.0]])[0])
    result = mesh.mirrored([0], [1])
    assert len(mesh.faces) == 18
    assert (signed_areas(result) > 0).all()
    assert [len(loop) for loop in boundary_loops(result.faces)] == [6, 6]


@pytest.mark.parametrize("chosen", [[0], [0, 1], [3], [2, 3, 4], [0, 5]])
def test_refining_keeps_the_surface(chosen: list[int]) -> None:
    mesh, *_ = half_disc()
    before = whole(mesh, 5)
    rings = [len(loop) for loop in boundary_loops(before.faces)]
    new = mesh.refine(chosen)
    after = whole(mesh, 5)
    assert signed_areas(after).sum() == pytest.approx(signed_areas(before).sum())
    assert (signed_areas(after) > 0).all()
    assert unique_edges(after.faces)[2].max() == 2
    assert len(boundary_loops(after.faces)) == len(rings)
    assert len(set(new)) == len(new) >= 3


def test_refined_faces_become_four_and_their_neighbours_two() -> None:
    mesh, *_ = half_disc()
    faces = len(mesh.faces)
    new = mesh.refine([3])  # an inner face with two neighbours and one open edge
    assert len(new) == 3
    assert len(mesh.faces) == faces + 3 + 2
    on_plane = [i for i in mesh.refine([0]) if mesh.points[i][0] == 0]
    assert all(i in {v for f in mesh.faces for v in f} for i in on_plane)
