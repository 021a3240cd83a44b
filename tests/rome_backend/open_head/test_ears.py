# SPDX-License-Identifier: Apache-2.0
"""The ear: its root loop fits the block cut out for it, and it stands off the head.

Does not know the rest of the head.
"""

from __future__ import annotations

import numpy as np

from rome_backend.open_head.ears import (
    CENTRE,
    RINGS,
    add_ear,
    ear_cells,
    ear_root,
    outline,
    relief,
)
from rome_backend.open_head.half_mesh import HalfMesh
from rome_backend.open_head.subdivision import boundary_loops


def sheet() -> tuple[HalfMesh, list[list[int]]]:
    """A plane beside the head, numbered like the cranium's rings, without the ear's block."""
    mesh = HalfMesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    y = 0.1 - 0.005 * np.arange(49)
    rings = [mesh.add(np.column_stack([0 * y + 0.07, y, 0 * y - 0.04 - 0.003 * j])) for j in
             range(22)]  # fmt: skip
    for j, (a, b) in enumerate(zip(rings, rings[1:], strict=False)):
        for k in range(48):
            if (j, k) not in ear_cells():
                mesh.strip(a[k : k + 2], b[k : k + 2])
    return mesh, rings


def test_root_is_the_hole_of_the_block() -> None:
    mesh, rings = sheet()
    root = ear_root(rings)
    assert len(root) == len(set(root)) == 42
    hole = min(boundary_loops(np.array(mesh.faces)), key=len)
    start = hole.index(root[0])
    assert hole[start:] + hole[:start] == root


def test_ear_closes_the_hole_consistently() -> None:
    mesh, rings = sheet()
    root = ear_root(rings)
    grown = add_ear(mesh, root)
    assert grown[0] == root
    assert [len(ring) for ring in grown] == [42] * (1 + len(RINGS)) + [1]
    faces = np.array(mesh.faces)
    assert len(boundary_loops(faces)) == 1  # only the sheet's own edge is left
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    assert len(np.unique(sides, axis=0)) == len(sides)


def test_outline_is_taller_than_wide_and_leans_back() -> None:
    angle = np.linspace(0, 2 * np.pi, 200)
    y, z = outline(angle, 1.0)
    assert 1.4 < np.ptp(y) / np.ptp(z) < 2.2
    assert z[y.argmax()] < z[y.argmin()]
    assert z[0] < 0  # angle 0 is the back


def test_relief_rises_towards_the_back() -> None:
    angle = np.array([0.0, np.pi])
    _, z = outline(angle, 1.0)
    back, front = relief(angle, z, 1.0, 0.0)
    assert back - front > 0.01
    assert front >= CENTRE[0] - 0.002


def test_concha_lies_deeper_than_the_rim() -> None:
    mesh, rings = sheet()
    grown = add_ear(mesh, ear_root(rings))
    rim, concha = mesh.at(grown[6]), mesh.at(grown[-3])
    assert rim[:, 0].max() - concha[:, 0].max() > 0.005
