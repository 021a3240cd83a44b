# SPDX-License-Identifier: Apache-2.0
"""The eyeball: closed, round, wound outwards, with an atlas of its own.

Does not know lids.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.cavities import EYE_RADIUS
from rome_backend.open_head.eyeballs import IRIS_RADIUS, eyeball, eyeball_faces, eyeball_uv
from rome_backend.open_head.subdivision import boundary_loops, unique_edges

CENTRE = np.array([0.03, 0.0, -0.01])


def test_counts_and_closedness() -> None:
    vertices, faces = eyeball(CENTRE)
    assert vertices.shape == (546, 3)
    assert faces.shape == (1088, 3)
    assert boundary_loops(faces) == []
    assert (unique_edges(faces)[2] == 2).all()


def test_wound_outwards_and_nearly_a_sphere() -> None:
    vertices, faces = eyeball(CENTRE)
    a, b, c = (vertices[faces[:, k]] - CENTRE for k in range(3))
    assert (np.sum(np.cross(b - a, c - a) * (a + b + c), axis=1) > 0).all()
    volume = (np.cross(a, b) * c).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * EYE_RADIUS**3, rel=0.03)


def test_cornea_bulges_and_nothing_else_does() -> None:
    vertices, _ = eyeball(CENTRE)
    distance = np.linalg.norm(vertices - CENTRE, axis=1)
    assert distance.argmax() == 0
    assert 1.05 < distance[0] / EYE_RADIUS < 1.15
    behind = vertices[:, 2] < CENTRE[2] + 0.8 * EYE_RADIUS
    np.testing.assert_allclose(distance[behind], EYE_RADIUS)


def test_equator_is_centred() -> None:
    vertices, _ = eyeball(CENTRE)
    np.testing.assert_allclose(vertices[1 + 8 * 32 : 1 + 9 * 32].mean(axis=0), CENTRE, atol=1e-9)


def test_third_ring_is_the_iris() -> None:
    vertices, _ = eyeball(CENTRE)
    ring = vertices[1 + 2 * 32 : 1 + 3 * 32] - CENTRE
    np.testing.assert_allclose(np.hypot(ring[:, 0], ring[:, 1]), IRIS_RADIUS, rtol=0.02)
    assert ring[0, 0] > 0.005
    assert ring[8, 1] > 0.005


def test_disc_has_no_overlap() -> None:
    uv, faces = eyeball_uv()
    assert uv.shape == (546 + 31, 2)
    a, b, c = (uv[faces[:, k]] for k in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert areas.min() > 1e-5
    # Positive and together no more than the disc: no texel is covered twice.
    outline = boundary_loops(faces)
    assert len(outline) == 1
    rim = uv[outline[0][::-1]]
    following = np.roll(rim, -1, axis=0)
    polygon = (rim[:, 0] * following[:, 1] - rim[:, 1] * following[:, 0]).sum() / 2
    assert areas.sum() == pytest.approx(polygon)
    assert np.linalg.norm(uv, axis=1).max() <= 1 + 1e-12


def test_disc_keeps_the_ring_order() -> None:
    uv, faces = eyeball_uv()
    changed = faces != eyeball_faces()
    assert changed.sum() == 31  # only the back pole is opened
    assert np.hypot(*uv[1 + 2 * 32]) > 0.35  # the iris gets more than its share of the radius
