# SPDX-License-Identifier: Apache-2.0
"""Shrinking and joining identities. Does not know photos."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.tracking.identity import IdentityShrinker, bounded_identity, joined_identity
from rome_backend.tracking.priors import identity_gains

RNG = np.random.default_rng(5)


def test_modes_along_axes_get_their_axis_gain() -> None:
    shape = np.zeros((400, 3, 2))
    shape[:, 0, 0] = RNG.normal(0, 0.004, 400)
    shape[:, 2, 1] = RNG.normal(0, 0.004, 400)
    got = IdentityShrinker(shape)(np.array([2.0, 2.0]), 0.75, 0.25)
    assert got == pytest.approx([1.5, 0.5], rel=0.01)


def test_a_mode_the_landmarks_cannot_see_fades() -> None:
    shape = np.zeros((400, 3, 2))
    shape[:, :, 0] = RNG.normal(0, 0.004, (400, 3))
    got = IdentityShrinker(shape)(np.array([1.0, 1.0]), 1.0, 1.0)
    assert got[0] == pytest.approx(1.0, rel=0.01)
    assert got[1] == 0.0


def test_bounding_keeps_direction_and_leaves_ordinary_faces() -> None:
    ordinary = np.array([2.0, -1.0, 0.5])
    assert np.array_equal(bounded_identity(ordinary), ordinary)
    monster = bounded_identity(10 * ordinary)
    assert np.linalg.norm(monster) == pytest.approx(5.0)
    assert monster / np.linalg.norm(monster) == pytest.approx(ordinary / np.linalg.norm(ordinary))
    assert not bounded_identity(np.zeros(3)).any()


def test_frontal_photos_outweigh_turned_ones_and_more_photos_are_trusted_more() -> None:
    shapes = [np.array([1.0]), np.array([-1.0])]
    mean, across, along = joined_identity(shapes, [0.0, 50.0])
    assert mean[0] > 0.6
    single = identity_gains(0.0)
    assert single[0] < across <= 0.9
    assert single[1] < along <= 0.9
    even, *_ = joined_identity(shapes, [20.0, -20.0])
    assert even[0] == pytest.approx(0.0)
