# SPDX-License-Identifier: Apache-2.0
"""The assembled geometry: counts, mirror, landmarks and eyeballs in their place.

Does not know shape, expression or pose directions.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.geometry import EYEBALL_VERTICES, HeadGeometry
from rome_backend.open_head.mean_face import mean_face

PARTS = (546, 546, 399, 399, 143)  # eyeballs, rows of teeth, tongue


def test_structure(geometry: HeadGeometry) -> None:
    assert geometry.vertices.shape == (geometry.skin_count + sum(PARTS), 3)
    assert len(geometry.vertices) < 10_000
    assert geometry.faces.dtype == np.int32
    assert geometry.skin_vertices.shape == (geometry.skin_count, 3)
    assert (geometry.skin_faces < geometry.skin_count).all()


def test_parts_share_no_face(geometry: HeadGeometry) -> None:
    starts = np.cumsum([geometry.skin_count, *PARTS[:-1]])
    part = np.searchsorted(starts, geometry.faces, side="right")
    assert (part == part[:, :1]).all()
    skin = len(geometry.skin_faces)
    assert np.bincount(part[:, 0]).tolist() == [skin, 1088, 1088, 672, 672, 240]


def test_mirror(geometry: HeadGeometry) -> None:
    mirror = geometry.mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))
    np.testing.assert_array_equal(geometry.vertices[mirror] * (-1, 1, 1), geometry.vertices)
    own = {tuple(sorted(t)) for t in geometry.faces.tolist()}
    assert {tuple(sorted(t)) for t in mirror[geometry.faces].tolist()} == own


@pytest.mark.parametrize("side", ["left", "right"])
def test_eyeballs_are_wound_outwards(geometry: HeadGeometry, side: str) -> None:
    faces = geometry.faces[geometry.regions[f"{side}_eyeball"][geometry.faces].all(axis=1)]
    a, b, c = (geometry.vertices[faces[:, k]] for k in range(3))
    assert (np.cross(a, b) * c).sum() > 0


def test_left_eyeball_comes_first(geometry: HeadGeometry) -> None:
    first, second = np.split(geometry.vertices[geometry.skin_count :][: 2 * EYEBALL_VERTICES], 2)
    assert (first[:, 0] > 0).all()
    assert (second[:, 0] < 0).all()


def test_landmark_table(geometry: HeadGeometry) -> None:
    table = geometry.landmarks
    np.testing.assert_array_equal(table.indices, np.arange(478))
    positions = geometry.landmark_positions
    np.testing.assert_array_equal(positions[:468], geometry.vertices[:468])
    # Irises: the centres behind each other's photos, the rims 5.9 mm round them.
    mean = mean_face()[468:]
    np.testing.assert_allclose(positions[468:, :2], mean[:, :2], atol=0.001)
    np.testing.assert_allclose(positions[468:, 2], mean[:, 2], atol=0.005)


def test_lids_stay_outside_the_eyeballs(geometry: HeadGeometry) -> None:
    centre = geometry.joints[3]
    face = geometry.skin_vertices[geometry.skin_region("face")]
    distance = np.linalg.norm(face - centre, axis=1)
    assert distance.min() > 0.0119


def test_skin_energy_is_zero_for_constants_only(geometry: HeadGeometry) -> None:
    energy = geometry.skin_energy()
    assert energy.shape == (geometry.skin_count, geometry.skin_count)
    assert abs(energy @ np.ones(geometry.skin_count)).max() < 1e-8
    height = geometry.skin_vertices[:, 1]
    assert height @ energy @ height > 0
