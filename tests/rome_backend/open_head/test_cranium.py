# SPDX-License-Identifier: Apache-2.0
"""The fan of sections: it starts at the face, ends at the hem and skips what it is told to.

Does not know ears.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.cranium import (
    COLUMNS,
    HEM_RINGS,
    ROWS,
    Profile,
    add_cranium,
    join_cranium,
)
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
    section = Profile(TOP, BOTTOM).section(t, np.linspace(0, np.pi, COLUMNS))
    np.testing.assert_array_equal(section[[0, -1], 0], 0)
    assert (section[1:-1, 0] > 0).all()
    assert np.linalg.norm(np.diff(section, axis=0), axis=1).min() > 1e-3


def test_rings_leave_the_face_gently() -> None:
    mesh, oval = outline()
    rings = add_cranium(mesh, oval).rings
    assert len(rings) == len(ROWS)
    gap = np.linalg.norm(mesh.at(rings[0])[::4] - mesh.at(oval)[::3], axis=1)
    assert gap.max() < 0.012
    for ring in rings:
        points = mesh.at(ring)
        np.testing.assert_array_equal(points[[0, -1], 0], 0)
        assert (points[1:-1, 0] > 0).all()


def test_rings_lie_one_behind_the_other() -> None:
    """At the height of the eyes each ring is behind the one before it, down to the occiput."""
    mesh, oval = outline()
    rings = add_cranium(mesh, oval).rings
    side = np.array([mesh.at(ring)[20, 2] for ring in rings[:25]])
    assert (np.diff(side) < 0.0005).all()
    assert side[-1] < side[0] - 0.03


def test_hem_turns_inwards_to_a_pinhole() -> None:
    mesh, oval = outline()
    cranium = add_cranium(mesh, oval)
    edge, first, *_, last = (mesh.at(r) for r in (cranium.rings[-1], *cranium.hem))
    assert first[:, 0].max() < edge[:, 0].max()
    assert np.ptp(last, axis=0).max() < 0.002
    assert last[:, 1].min() > edge[:, 1].max()


def test_skipped_cells_have_no_faces() -> None:
    whole, oval = outline()
    join_cranium(whole, add_cranium(whole, oval), set())
    holed, oval = outline()
    cranium = add_cranium(holed, oval)
    join_cranium(holed, cranium, {(2, 5), (2, 6)})
    assert len(whole.faces) == 36 + 48 + 2 * 48 * (len(ROWS) - 1 + len(HEM_RINGS))
    assert len(whole.faces) - len(holed.faces) == 4
    missing = set(whole.faces) - set(holed.faces)
    assert {v for f in missing for v in f} == {
        *cranium.rings[2][5:8],
        *cranium.rings[3][5:8],
    }
