# SPDX-License-Identifier: Apache-2.0
"""The fan of sections: it starts at the face, ends at the neck and skips what it is told to.

Does not know ears.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.cranium import ROWS, Profile, add_cranium, join_cranium
from rome_backend.open_head.face_surface import face_half
from rome_backend.open_head.half_mesh import HalfMesh

TOP, BOTTOM = np.array([0, 0.053, 0.008]), np.array([0, -0.108, 0.008])


def outline() -> tuple[HalfMesh, list[int]]:
    """A mesh that holds the face's outline and nothing else."""
    face = face_half()
    mesh = HalfMesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    return mesh, mesh.add(face.vertices[face.oval])


def test_profile_starts_at_the_face() -> None:
    section = Profile(TOP, BOTTOM).section(0.0, np.array([0.0, np.pi]))
    np.testing.assert_allclose(section, [TOP, BOTTOM], atol=1e-9)


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_sections_are_half_rings_on_the_plane(t: float) -> None:
    section = Profile(TOP, BOTTOM).section(t, np.linspace(0, np.pi, 37))
    np.testing.assert_array_equal(section[[0, -1], 0], 0)
    assert (section[1:-1, 0] > 0).all()
    assert np.linalg.norm(np.diff(section, axis=0), axis=1).min() > 1e-3


def test_rings_leave_the_face_gently() -> None:
    mesh, oval = outline()
    rings = add_cranium(mesh, oval).rings
    assert len(rings) == len(ROWS) + 1
    assert rings[0] == oval
    gap = np.linalg.norm(mesh.at(rings[1]) - mesh.at(oval), axis=1)
    assert gap.max() < 0.015
    for ring in rings:
        points = mesh.at(ring)
        np.testing.assert_array_equal(points[[0, -1], 0], 0)
        assert (points[1:-1, 0] > 0).all()


def test_base_is_half_of_thirty() -> None:
    mesh, oval = outline()
    cranium = add_cranium(mesh, oval)
    assert len(cranium.base) == 16
    lowest = mesh.at(cranium.rings[-1])
    assert mesh.at(cranium.base)[:, 1].min() < lowest[:, 1].min()


def test_skipped_cells_have_no_faces() -> None:
    whole, oval = outline()
    join_cranium(whole, add_cranium(whole, oval), set())
    holed, oval = outline()
    cranium = add_cranium(holed, oval)
    join_cranium(holed, cranium, {(2, 5), (2, 6)})
    assert len(whole.faces) == 2 * len(ROWS) * 36 + 36 + 15
    assert len(whole.faces) - len(holed.faces) == 4
    missing = set(whole.faces) - set(holed.faces)
    assert {v for f in missing for v in f} == {
        *cranium.rings[2][5:8],
        *cranium.rings[3][5:8],
    }
