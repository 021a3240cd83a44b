# SPDX-License-Identifier: Apache-2.0
"""Collarbones: a ridge with a pit between and hollows above, symmetric and in front only.

Does not know the head's mesh.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.collarbones import BONE, PIT, bone_distance, relief, with_collarbones


def at(x: float, y: float, z: float = -0.05) -> np.ndarray:
    return np.array([[x / 1000, y / 1000, z]])


def test_bone_rises_and_the_pit_sinks() -> None:
    assert relief(at(*BONE[2]))[0] > 0.0025
    assert relief(at(*PIT[:2]))[0] < -0.001
    assert relief(at(62, -162))[0] < -0.001
    assert abs(relief(at(60, -230))[0]) < 1e-4


def test_both_sides_are_alike_and_the_back_is_flat() -> None:
    points = np.random.default_rng(0).uniform(-0.15, 0, (50, 3))
    np.testing.assert_array_equal(relief(points), relief(points * (-1, 1, 1)))
    assert relief(at(*BONE[2], z=-0.13))[0] == 0


def test_distance_to_the_bone() -> None:
    middle = (BONE[1] + BONE[2]) / 2
    across = np.array([-(BONE[2] - BONE[1])[1], (BONE[2] - BONE[1])[0]])
    across /= np.linalg.norm(across)
    found = bone_distance(np.array([middle, middle + 3 * across, BONE[0] - (4, 0)]))
    np.testing.assert_allclose(found, [0, 3, 4], atol=1e-9)


def test_only_the_named_vertices_move() -> None:
    """A plane facing forwards: what rises comes forward."""
    line = np.linspace(-0.1, 0.1, 21)
    x, y = (axis.ravel() for axis in np.meshgrid(line, line - 0.2))
    plane = np.column_stack([x, y, np.full(len(x), -0.05)])
    start = (np.arange(20)[:, None] * 21 + np.arange(20)).ravel()
    faces = np.concatenate(
        [
            np.column_stack([start, start + 1, start + 22]),
            np.column_stack([start, start + 22, start + 21]),
        ]
    ).astype(np.int32)
    chosen = np.flatnonzero(x > 0).astype(np.int32)
    moved = with_collarbones(plane, faces, chosen) - plane
    assert np.abs(moved[x <= 0]).max() == 0
    np.testing.assert_allclose(moved[chosen, 2], relief(plane[chosen]), atol=1e-12)
    assert moved[:, 2].max() == pytest.approx(0.0042, abs=0.0012)
