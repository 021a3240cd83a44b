# SPDX-License-Identifier: Apache-2.0
"""Tests of distances along a mesh on a strip whose lengths are known.

Does not know heads.
"""

from __future__ import annotations

import numpy as np

from rome_backend.open_head.surface_distance import surface_distance


def strip(count: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Two rows of vertices, 1 apart in x and 10 apart in y."""
    x = np.arange(count, dtype=float)
    low, high = (np.column_stack([x, np.full(count, y), 0 * x]) for y in (0.0, 10.0))
    k = np.arange(count - 1)
    faces = np.concatenate([np.column_stack([k, k + 1, k + count])])
    return np.concatenate([low, high]), faces


def test_distance_follows_edges() -> None:
    vertices, faces = strip()
    source = np.zeros(len(vertices), dtype=bool)
    source[0] = True
    distance = surface_distance(vertices, faces, source)
    np.testing.assert_allclose(distance[:5], np.arange(5))
    assert distance[5] == 10.0


def test_nearest_of_several_sources_counts() -> None:
    vertices, faces = strip()
    source = np.zeros(len(vertices), dtype=bool)
    source[[0, 4]] = True
    np.testing.assert_allclose(surface_distance(vertices, faces, source)[:5], [0, 1, 2, 1, 0])


def test_unreachable_and_sourceless_are_infinite() -> None:
    vertices, faces = strip()
    source = np.zeros(len(vertices), dtype=bool)
    source[0] = True
    assert np.isinf(surface_distance(vertices, faces, source)[9])  # in no face
    assert np.isinf(surface_distance(vertices, faces, np.zeros(10, dtype=bool))).all()
