# SPDX-License-Identifier: Apache-2.0
"""Joining identities. Does not know photos."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.tracking.identity import bounded_identity, joined_identity


def test_bounding_keeps_direction_and_leaves_ordinary_faces() -> None:
    ordinary = np.array([2.0, -1.0, 0.5])
    assert np.array_equal(bounded_identity(ordinary), ordinary)
    monster = bounded_identity(10 * ordinary)
    assert np.linalg.norm(monster) == pytest.approx(5.0)
    assert monster / np.linalg.norm(monster) == pytest.approx(ordinary / np.linalg.norm(ordinary))
    assert not bounded_identity(np.zeros(3)).any()


def test_joining_is_the_mean_by_what_each_photo_tells() -> None:
    precisions = [np.diag([4.0, 1.0]), np.diag([2.0, 6.0])]
    shapes = [np.array([1.0, 0.5]), np.array([-1.0, 2.0])]
    got = joined_identity(shapes, precisions)
    assert got == pytest.approx([(4 - 2) / 6, (0.5 + 12) / 7])
    assert joined_identity(shapes[::-1], precisions[::-1]) == pytest.approx(got)


def test_what_is_tangled_in_one_photo_another_may_tell() -> None:
    sum_only = np.eye(2) + 100 * np.ones((2, 2))
    difference = np.eye(2) + 100 * np.array([[1.0, -1.0], [-1.0, 1.0]])
    got = joined_identity([np.array([1.0, 1.0]), np.array([1.0, -1.0])], [sum_only, difference])
    assert got == pytest.approx([2.0, 0.0], abs=0.03)


def test_photos_that_agree_are_no_surer_than_one_and_monsters_are_bounded() -> None:
    precision, shape = np.diag([3.0, 1.5]), np.array([1.0, -2.0])
    for count in (1, 2, 5):
        assert joined_identity([shape] * count, [precision] * count) == pytest.approx(shape)
    monster = joined_identity([50 * shape] * 2, [precision] * 2)
    assert np.linalg.norm(monster) == pytest.approx(5.0)
