# SPDX-License-Identifier: Apache-2.0
"""Teeth and tongue: wound outwards, single teeth, and never in front of lips or cheeks.

Does not know how they are textured.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.open_head import teeth
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.subdivision import boundary_loops

LIPS = np.array([0.0, -0.067, 0.021])


def winding_number(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How often a closed surface (F, 3, 3) goes round each point. Van Oosterom and Strackee."""
    total = np.zeros(len(points))
    for k, point in enumerate(points):
        a, b, c = np.moveaxis(triangles - point, 1, 0)
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        volume = np.einsum("fc,fc->f", a, np.cross(b, c))
        base = la * lb * lc + np.einsum("fc,fc->f", a, b) * lc
        base += np.einsum("fc,fc->f", b, c) * la + np.einsum("fc,fc->f", c, a) * lb
        total[k] = np.arctan2(volume, base).sum() / (2 * np.pi)
    return total


def capped(head: HeadModel | HeadGeometry, skin_faces: np.ndarray) -> np.ndarray:
    """The skin's faces in front of the mouth's inside, the lips joined by a lid."""
    bag = head.regions["mouth_inside"]
    outer = skin_faces[~bag[skin_faces].any(axis=1)]
    rim = skin_faces[bag[skin_faces].any(axis=1)]
    sides = [(t[k], t[(k + 1) % 3]) for t in rim.tolist() for k in range(3)]
    after = {a: b for a, b in sides if not bag[a] and not bag[b]}
    start = at = next(iter(after))
    loop = [start]
    while after[at] != start:
        at = after[at]
        loop.append(at)
    fan = [(loop[0], a, b) for a, b in zip(loop[1:], loop[2:], strict=False)]
    return np.concatenate([outer, fan])


def inner_parts(head: HeadModel) -> np.ndarray:
    return head.regions["teeth"] | head.regions["gums"] | head.regions["tongue"]


def outside(head: HeadModel, geometry: HeadGeometry, vertices: np.ndarray) -> np.ndarray:
    """Teeth and tongue vertices that lie outside the head whose lips are joined."""
    faces = capped(head, geometry.skin_faces)
    faces = np.concatenate([faces, *holes(faces)])
    members = np.flatnonzero(inner_parts(head) & (head.template[:, 2] > -0.02))[::11]
    return members[winding_number(vertices[members], vertices[faces]) < 0.5]


def holes(faces: np.ndarray) -> list[np.ndarray]:
    """Lids of a mesh's open loops, so that it is closed."""
    return [
        np.array([(loop[0], a, b) for a, b in zip(loop[1:], loop[2:], strict=False)])
        for loop in boundary_loops(faces)
    ]


def neutral(head: HeadModel, **values: np.ndarray) -> FlameParams:
    params = {
        "shape": np.zeros(head.shape_dirs.shape[2]),
        "expression": np.zeros(head.expression_dirs.shape[2]),
    }
    return FlameParams(**(params | values))


@pytest.mark.parametrize("upper", [True, False])
def test_each_row_has_fourteen_teeth(upper: bool) -> None:
    row = teeth.teeth_row(LIPS, upper).reshape(teeth.ROWS, teeth.COLUMNS, 3)
    out = np.linalg.norm((row[3] - row[0])[:, [0, 2]], axis=1)  # the belly before the gum's root
    valleys = (out[1:-1] < out[:-2]) & (out[1:-1] < out[2:])
    assert valleys.sum() == 13
    assert np.ptp(row[..., 0]) < 0.062


@pytest.mark.parametrize("upper", [True, False])
def test_teeth_face_forwards_and_sideways(upper: bool) -> None:
    vertices, faces = teeth.teeth_row(LIPS, upper), teeth.teeth_faces(upper)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    front = (faces < 4 * teeth.COLUMNS).all(axis=1)
    away = (a + b + c) / 3 - (LIPS + (0, 0, -0.04))
    assert (np.einsum("fc,fc->f", normal, away * (1, 0, 1))[front] > 0).mean() > 0.95


def test_upper_incisors_overlap_the_lower() -> None:
    upper, lower = teeth.teeth_row(LIPS, True), teeth.teeth_row(LIPS, False)
    assert upper[:, 1].min() < lower[:, 1].max()
    assert upper[:, 2].max() > lower[:, 2].max() + 0.001
    assert upper[:, 0].max() > lower[:, 0].max()


def test_gums_are_the_outer_rows() -> None:
    mask = teeth.gums().reshape(teeth.ROWS, teeth.COLUMNS)
    assert mask[0].all() and mask[-1].all()
    assert not mask[3:-1].any()


def test_tongue_lies_between_the_lower_teeth() -> None:
    tongue, lower = teeth.tongue(LIPS), teeth.teeth_row(LIPS, False)
    assert tongue[:, 2].max() < lower[:, 2].max() - 0.002
    assert tongue[:, 0].max() < lower[:, 0].max() - 0.005
    faces = teeth.tongue_faces()
    a, b, c = (tongue[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    back = np.abs(a[:, 0]) < 0.004
    assert (normal[back, 1] > 0).mean() > 0.9


def test_grids_are_mirrored() -> None:
    mirror = teeth.grid_mirror(3, 5)
    faces = teeth.grid_faces(3, 5)
    own = {tuple(sorted(t)) for t in faces.tolist()}
    assert {tuple(sorted(t)) for t in mirror[faces].tolist()} == own
    assert len(own) == 2 * 2 * 4


def test_winding_number_of_a_tetrahedron() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    solid = corners[[[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]]
    inside, out = winding_number(np.array([[0.1, 0.1, 0.1], [1.0, 1.0, 1.0]]), solid)
    assert inside == pytest.approx(1)
    assert out == pytest.approx(0, abs=1e-9)


def test_nothing_shows_at_rest(head: HeadModel, geometry: HeadGeometry) -> None:
    assert not len(outside(head, geometry, head.template.astype(float)))


def test_teeth_in_front_of_the_lips_would_be_found(head: HeadModel, geometry: HeadGeometry) -> None:
    vertices = head.template.astype(float)
    vertices[inner_parts(head), 2] += 0.02
    assert len(outside(head, geometry, vertices)) > 3


def test_nothing_pokes_through_in_any_expression(head: HeadModel, geometry: HeadGeometry) -> None:
    for k, name in enumerate(head.expression_names):
        still = np.abs(head.expression_dirs[head.regions["lips"], :, k]).max() < 1e-4
        if still or name == "tongueOut":
            continue
        vertices = head.template + head.expression_dirs[:, :, k].astype(float)
        assert not len(outside(head, geometry, vertices)), name


def test_nothing_pokes_through_for_any_identity(head: HeadModel, geometry: HeadGeometry) -> None:
    random = np.random.default_rng(0)
    for _ in range(8):
        shape = random.normal(size=head.shape_dirs.shape[2]) * 1.5
        vertices = posed_vertices(head, neutral(head, shape=shape))
        assert not len(outside(head, geometry, vertices))


def test_jaw_takes_lower_teeth_and_tongue_along(head: HeadModel) -> None:
    moved = posed_vertices(head, neutral(head, jaw=np.radians([30.0, 0, 0]))) - head.template
    lower = head.weights[:, 2] == 1
    assert (lower & head.regions["tongue"]).sum() == head.regions["tongue"].sum()
    upper = head.regions["teeth"] & ~lower
    assert np.abs(moved[upper]).max() < 1e-6
    front = head.regions["teeth"] & lower & (head.template[:, 2] > -0.01)
    assert moved[front, 1].max() < -0.02


def upper_incisors(head: HeadModel) -> np.ndarray:
    """Return the numbers of the vertices of the two middle upper teeth, gums left out."""
    middle = head.regions["teeth"] & ~head.regions["gums"] & (head.weights[:, 2] < 0.5)
    return np.flatnonzero(middle & (np.abs(head.template[:, 0]) < 0.006))


@pytest.mark.parametrize("degrees", [10.0, 20.0, 30.0])
def test_an_open_mouth_shows_the_edge_of_the_upper_teeth(head: HeadModel, degrees: float) -> None:
    opened = posed_vertices(head, neutral(head, jaw=np.radians([degrees, 0, 0])))
    shown = opened[13, 1] - opened[upper_incisors(head), 1].min()
    assert 0.0025 < shown < 0.006
    assert head.template[13, 1] - opened[13, 1] < 0.002  # the lip hangs on the skull


def test_a_smile_shows_teeth_and_hardly_gums(head: HeadModel) -> None:
    expression = np.zeros(len(head.expression_names))
    for name, value in (("mouthSmile", 0.8), ("mouthUpperUp", 0.4)):
        for side in ("Left", "Right"):
            expression[head.expression_names.index(name + side)] = value
    smiling = posed_vertices(head, neutral(head, expression=expression))
    crown = smiling[upper_incisors(head), 1]
    assert smiling[13, 1] - crown.max() < 0.001
    assert crown.max() - crown.min() > 0.010
