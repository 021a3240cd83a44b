# SPDX-License-Identifier: Apache-2.0
"""Sockets and mouth: they close or end in the right loop and lie behind lids and lips.

Does not know eyeballs' surfaces.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.cavities import (
    EYE_RADIUS,
    LID_GAP,
    add_mouth,
    add_nostril,
    add_socket,
    eye_centre,
)
from rome_backend.open_head.face_surface import NOSTRIL, FaceHalf, face_half
from rome_backend.open_head.half_mesh import HalfMesh
from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.subdivision import boundary_loops


@pytest.fixture
def face() -> FaceHalf:
    return face_half()


def test_eyeball_touches_the_lids_from_inside(face: FaceHalf) -> None:
    lids = face.vertices[face.eye]
    pupil = mean_face()[473]
    centre = eye_centre(lids, pupil)
    np.testing.assert_array_equal(centre[:2], pupil[:2])
    distance = np.linalg.norm(lids - centre, axis=1)
    assert distance.min() == pytest.approx(EYE_RADIUS + LID_GAP, abs=1e-9)
    assert centre[2] + EYE_RADIUS > lids[:, 2].mean()  # not sunk either


def test_socket_closes_the_eye(face: FaceHalf) -> None:
    mesh = HalfMesh(face.vertices, face.faces)
    before = [len(loop) for loop in boundary_loops(np.array(mesh.faces))]
    centre = eye_centre(mesh.at(face.eye), mean_face()[473])
    rings = add_socket(mesh, face.eye, centre)
    after = [len(loop) for loop in boundary_loops(np.array(mesh.faces))]
    assert 32 in before
    assert 32 not in after
    assert [len(ring) for ring in rings] == [32, 32, 32, 32, 1]
    depths = [mesh.at(ring)[:, 2].mean() for ring in rings]
    assert depths == sorted(depths, reverse=True)
    assert np.linalg.norm(mesh.at(rings[-1])[0] - centre) > EYE_RADIUS


def test_mouth_ends_in_half_a_loop_of_24(face: FaceHalf) -> None:
    mesh = HalfMesh(face.vertices, face.faces)
    rings = add_mouth(mesh, face.mouth)
    assert [len(ring) for ring in rings] == [21, 21, 21, 21, 21, 21, 21, 13]
    for ring in rings[1:]:
        points = mesh.at(ring)
        np.testing.assert_array_equal(points[[0, -1], 0], 0)
        assert (points[1:-1, 0] > 0).all()
        assert points[-1, 1] > points[0, 1]
    depths = [mesh.at(ring)[[0, -1], 2].mean() for ring in rings]
    assert depths == sorted(depths, reverse=True)
    faces = np.array(mesh.faces)
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    assert len(np.unique(sides, axis=0)) == len(sides)


def test_nostril_sinks_and_its_rim_stays(face: FaceHalf) -> None:
    mesh = HalfMesh(face.vertices, face.faces)
    before = np.array(mesh.points)
    new = add_nostril(mesh, face.nostril)
    after = np.array(mesh.points)
    moved = np.linalg.norm(after[: len(before)] - before, axis=1)
    place = {number: k for k, number in enumerate(face.numbers)}
    assert moved[[place[k] for k in NOSTRIL]].max() == 0
    assert 0 < (moved > 0).sum() < 12
    assert len(new) > 30
    assert after[new, 1].max() - before[[place[k] for k in NOSTRIL], 1].max() > 0.002
    assert len(boundary_loops(np.array(mesh.faces))) == len(boundary_loops(face.faces))
