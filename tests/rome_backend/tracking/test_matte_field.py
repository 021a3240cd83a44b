# SPDX-License-Identifier: Apache-2.0
"""Marching through mattes of known discs. Does not know heads."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F32, Mask
from rome_backend.tracking.matte_field import MatteField

SIZE, RADIUS = 200, 50.0
CENTRE = np.array([100.0, 100.0])


def disc(size: int = SIZE, radius: float = RADIUS) -> F32:
    """An antialiased disc in the middle."""
    at = np.arange(size) + 0.5 - size / 2
    distance = np.hypot(at[:, None], at[None])
    return np.clip(radius - distance + 0.5, 0, 1).astype(np.float32)


def known() -> Mask:
    return np.ones((SIZE, SIZE), bool)


def rays(radius: float, count: int = 24) -> tuple[np.ndarray, np.ndarray]:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    normals = np.stack([np.cos(angle), np.sin(angle)], 1)
    return CENTRE + radius * normals, normals


@pytest.mark.parametrize("radius", [20.0, 47.0, 53.0, 65.0])
def test_it_finds_the_contour_from_inside_and_outside(radius: float) -> None:
    points, normals = rays(radius)
    found = MatteField(disc(), known(), SIZE).march(points, normals, 60.0, 60.0)
    assert found == pytest.approx(RADIUS - radius, abs=0.8)


def test_limits_inwards_and_outwards_are_apart() -> None:
    field = MatteField(disc(), known(), SIZE)
    assert np.isnan(field.march(*rays(20.0), 60.0, 25.0)).all()
    assert np.isnan(field.march(*rays(70.0), 15.0, 60.0)).all()
    assert np.isfinite(field.march(*rays(70.0), 25.0, 5.0)).all()


def test_the_border_of_the_known_is_no_contour() -> None:
    valid = known()
    valid[:, 120:] = False
    matte = disc()
    matte[:, 120:] = 0.0
    field = MatteField(matte, valid, SIZE)
    points, normals = rays(10.0)
    found = field.march(points, normals, 60.0, 60.0)
    to_right = normals[:, 0] > 0.7
    assert np.isnan(found[to_right]).all()
    assert found[normals[:, 0] < -0.5] == pytest.approx(RADIUS - 10.0, abs=0.8)


def test_nothing_known_and_nobody_there_are_no_contours() -> None:
    nothing = MatteField(disc(), np.zeros((SIZE, SIZE), bool), SIZE)
    assert np.isnan(nothing.march(*rays(20.0), 60.0, 60.0)).all()
    nobody = MatteField(np.zeros((SIZE, SIZE), np.float32), known(), SIZE)
    assert np.isnan(nobody.march(*rays(20.0), 60.0, 60.0)).all()


def test_a_larger_matte_is_reduced_to_the_same_picture() -> None:
    big = MatteField(disc(800, 200.0), np.ones((800, 800), bool), SIZE)
    found = big.march(*rays(40.0), 60.0, 60.0)
    assert big.person.shape == (SIZE, SIZE)
    assert found == pytest.approx(10.0, abs=0.8)
    assert MatteField(disc(), known(), 4000).size == SIZE
