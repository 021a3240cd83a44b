# SPDX-License-Identifier: Apache-2.0
"""Bounded least squares against SciPy's. Does not know faces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from rome_backend.tracking.bounded import descend, solve_bounded


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, target = rng.normal(size=(60, 14)), rng.normal(size=60) * 3
    free = 5
    low, high = -rng.uniform(0, 0.2, 9), rng.uniform(0, 0.2, 9)
    x = solve_bounded(rows.T @ rows, rows.T @ target, free, low, high, sweeps=500)
    bounds = (np.r_[np.full(free, -np.inf), low], np.r_[np.full(free, np.inf), high])
    expected = lsq_linear(rows, target, bounds, tol=1e-12).x
    assert x == pytest.approx(expected, abs=1e-5)


def test_without_active_bounds_it_is_the_plain_solution() -> None:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    matrix, right = root @ root.T + np.eye(6), rng.normal(size=6)
    wide = np.full(6, 1e6)
    assert descend(matrix, right, -wide, wide) == pytest.approx(np.linalg.solve(matrix, right))
    assert solve_bounded(matrix, right, 0, -wide, wide) == pytest.approx(
        np.linalg.solve(matrix, right)
    )


def test_bounds_hold_exactly_even_when_equal() -> None:
    matrix, right = np.array([[2.0, 1.9], [1.9, 2.0]]), np.array([10.0, -10.0])
    x = descend(matrix, right, np.array([0.0, 0.5]), np.array([1.0, 0.5]))
    assert x.tolist() == [1.0, 0.5]
