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


def test_joining_is_least_squares_of_independent_photos_up_to_their_shared_part() -> None:
    prior = np.eye(2)
    seen = [np.diag([3.0, 0.0]), np.diag([1.0, 5.0])]
    measured = [np.array([1.0, 0.0]), np.array([-1.0, 2.0])]
    shapes = [np.linalg.solve(prior + s, s @ m) for s, m in zip(seen, measured, strict=True)]
    got = joined_identity(shapes, [prior + s for s in seen], [prior, prior])
    share = 0.75
    expected = [share * 2 / (1 + share * 4), share * 10 / (1 + share * 5)]
    assert got == pytest.approx(expected)


def test_surer_photos_outweigh_others_and_more_photos_are_trusted_more() -> None:
    prior = np.eye(1)

    def joined(values: list[float], sureness: list[float]) -> float:
        precisions = [prior * (1 + s) for s in sureness]
        shapes = [np.array([v * s / (1 + s)]) for v, s in zip(values, sureness, strict=True)]
        return float(joined_identity(shapes, precisions, [prior] * len(values))[0])

    assert joined([1.0, -1.0], [4.0, 1.0]) > 0.3
    assert joined([1.0, -1.0], [2.0, 2.0]) == pytest.approx(0.0)
    assert joined([1.0], [2.0]) == pytest.approx(2 / 3)
    assert 2 / 3 < joined([1.0, 1.0], [2.0, 2.0]) < joined([1.0] * 4, [2.0] * 4) < 1
    assert abs(joined([50.0, 50.0], [9.0, 9.0])) <= 5.0
