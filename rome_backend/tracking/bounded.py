# SPDX-License-Identifier: Apache-2.0
"""Regularised least squares with bounds on some of the unknowns.

Does not know what the unknowns mean.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64


def solve_bounded(matrix: F64, right: F64, free: int, low: F64, high: F64, sweeps: int = 60) -> F64:
    """Minimise x.M.x / 2 - b.x where the unknowns after the first ``free`` have bounds.

    matrix (n, n) symmetric positive definite; right (n,); low, high (n - free,). The free ones
    are eliminated exactly (Schur complement), the bounded ones found by cyclic coordinate
    descent, which converges for every positive definite matrix. Returns x (n,).
    """
    block, cross = matrix[:free, :free], matrix[:free, free:]
    if free:
        eliminated = np.linalg.solve(block, np.column_stack([cross, right[:free]]))
        reduced = matrix[free:, free:] - cross.T @ eliminated[:, :-1]
        target = right[free:] - cross.T @ eliminated[:, -1]
    else:
        reduced, target = matrix, right
    bounded = descend(reduced, target, low, high, sweeps)
    if not free:
        return bounded
    return np.concatenate([eliminated[:, -1] - eliminated[:, :-1] @ bounded, bounded])


def descend(matrix: F64, right: F64, low: F64, high: F64, sweeps: int = 60) -> F64:
    """Minimise x.M.x / 2 - b.x inside low <= x <= high by cyclic coordinate descent.

    Starts from the clipped unbounded solution and stops when a sweep moves nothing by more than
    1e-7 of the bounds' range.
    """
    x = np.clip(np.linalg.solve(matrix, right), low, high)
    gradient = right - matrix @ x
    tolerance = 1e-7 * max(float(np.max(high - low, initial=0.0)), 1e-12)
    diagonal = matrix.diagonal().copy()
    for _ in range(sweeps):
        largest = 0.0
        for k in range(len(x)):
            value = min(max(x[k] + gradient[k] / diagonal[k], low[k]), high[k])
            step = value - x[k]
            if step != 0.0:
                x[k] = value
                gradient -= step * matrix[k]
                largest = max(largest, abs(step))
        if largest <= tolerance:
            break
    return x
