# SPDX-License-Identifier: Apache-2.0
"""Tests of how the face follows the jaw: the skin as told, teeth with the bone."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.expressions import ExpressiveFace
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.jaw_motion import JAW, JAW_OPEN_DEGREES, JawMotion, jaw_motion

OPEN = np.array([np.radians(JAW_OPEN_DEGREES), 0.0, 0.0])


@pytest.fixture(scope="module")
def motion(geometry: HeadGeometry) -> JawMotion:
    return ExpressiveFace(geometry).jaw()


def test_a_still_jaw_moves_nothing(motion: JawMotion) -> None:
    np.testing.assert_allclose(motion.moved(np.zeros(3)), motion.arm, atol=1e-12)


def test_the_skin_goes_where_it_is_told(geometry: HeadGeometry) -> None:
    random = np.random.default_rng(1)
    move = random.normal(scale=0.004, size=(geometry.skin_count, 3)) + [0, -0.02, -0.01]
    trust = np.ones(geometry.skin_count)
    motion = jaw_motion(geometry, move, trust)
    told = move * np.linalg.norm(motion.opened()[152]) / np.linalg.norm(move[152])
    np.testing.assert_allclose(motion.opened()[: len(move)], told, atol=1e-9)


def test_the_chin_goes_as_far_as_the_bone(geometry: HeadGeometry, motion: JawMotion) -> None:
    radius = np.linalg.norm(geometry.vertices[152, 1:] - geometry.joints[JAW][1:])
    chord = 2 * radius * np.sin(OPEN[0] / 2)
    assert np.linalg.norm(motion.opened()[152]) == pytest.approx(chord, rel=0.01)


def test_without_trust_the_weights_count(geometry: HeadGeometry) -> None:
    move = np.tile([0.0, -0.02, -0.01], (geometry.skin_count, 1))
    motion = jaw_motion(geometry, move, np.zeros(geometry.skin_count))
    np.testing.assert_allclose(motion.follow, geometry.weights[:, JAW])
    assert not motion.slide.any()


def test_cranium_and_eyes_stay(geometry: HeadGeometry, motion: JawMotion) -> None:
    still = geometry.regions["left_eyeball"] | geometry.regions["right_eyeball"]
    assert np.abs(motion.opened()[still]).max() < 1e-9
    assert np.abs(motion.opened()[geometry.vertices[:, 1] > 0.05]).max() < 1e-4


def test_the_motion_is_symmetric(geometry: HeadGeometry, motion: JawMotion) -> None:
    opened = motion.opened()
    np.testing.assert_allclose(opened[geometry.mirror] * (-1, 1, 1), opened, atol=1e-4)


def test_the_throat_takes_the_jaws_way_evenly(geometry: HeadGeometry, motion: JawMotion) -> None:
    """No edge of the skin under the jaw shrinks to a quarter."""
    faces = geometry.skin_faces
    neck = geometry.skin_region("neck")
    edges = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    edges = edges[neck[edges].any(axis=1)]
    rest = geometry.skin_vertices
    moved = rest + motion.opened()[: len(rest)]
    before, after = (np.linalg.norm(v[edges[:, 0]] - v[edges[:, 1]], axis=1) for v in (rest, moved))
    assert (after / before)[before > 2e-4].min() > 0.25
