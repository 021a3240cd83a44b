# SPDX-License-Identifier: Apache-2.0
"""Tests of the prior of identities: symmetry and the constraints it is conditioned on.

Does not know meshes.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.identity import prior_points
from rome_backend.open_head.identity_prior import (
    PriorPoints,
    axis_kernels,
    conditioned,
    identity_covariance,
    radius_rows,
    rigid_rows,
    symmetrised,
)
from rome_backend.open_head.landmark_sets import INNER_LIP_PAIRS


@pytest.fixture(scope="module")
def points(geometry: HeadGeometry) -> PriorPoints:
    return prior_points(geometry, np.arange(468))


@pytest.fixture(scope="module")
def draws(points: PriorPoints) -> np.ndarray:
    """300 identities (300, 468, 3) m drawn from the prior."""
    values, vectors = np.linalg.eigh(identity_covariance(points))
    assert values.min() > -1e-12
    random = np.random.default_rng(0).normal(size=(len(values), 300))
    return ((vectors * np.sqrt(np.maximum(values, 0))) @ random).T.reshape(300, 468, 3)


def test_conditioning_fixes_what_is_observed() -> None:
    covariance = np.array([[2.0, 1.0], [1.0, 3.0]])
    after = conditioned(covariance, np.array([[1.0, -1.0]]), np.array([1e-6]))
    assert np.array([1, -1]) @ after @ np.array([1, -1]) == pytest.approx(0, abs=1e-9)
    assert after[0, 0] == pytest.approx(5 / 3)  # 2 - 1 / 3
    loose = conditioned(covariance, np.array([[1.0, -1.0]]), np.array([1e6]))
    np.testing.assert_allclose(loose, covariance, rtol=1e-6)


def test_faces_differ_by_millimetres(draws: np.ndarray) -> None:
    size = np.sqrt((draws**2).sum(axis=2).mean(axis=1))
    assert 0.0022 < size.mean() < 0.004
    assert size.max() < 0.007


def test_faces_are_nearly_symmetric(points: PriorPoints, draws: np.ndarray) -> None:
    image = draws[:, points.mirror] * [-1, 1, 1]
    even, odd = (draws + image) / 2, (draws - image) / 2
    share = np.sqrt((odd**2).sum() / (even**2).sum())
    assert 0.1 < share < 0.45


def test_symmetrising_keeps_the_variance(points: PriorPoints) -> None:
    kernels = axis_kernels(points)
    joint = symmetrised(points, kernels).reshape(468, 3, 468, 3)
    for axis in (1, 2):  # sideways the midline must not move
        variance = np.einsum("nn->n", joint[:, axis, :, axis])
        ratio = variance / np.diag(kernels[axis])
        assert ratio.min() > 0.95 and ratio.max() < 1.15
    middle = np.abs(points.positions[:, 0]) < 1e-6
    sideways = np.einsum("nn->n", joint[:, 0, :, 0])[middle]
    assert sideways.max() < 0.3 * np.diag(kernels[0])[middle].max()


def test_lips_stay_closed(draws: np.ndarray) -> None:
    upper, lower = np.array(INNER_LIP_PAIRS).T
    assert np.abs(draws[:, upper] - draws[:, lower]).max() < 3e-4


def test_no_rigid_motion_and_no_change_of_size(points: PriorPoints, draws: np.ndarray) -> None:
    rows = rigid_rows(points.positions, 468)
    np.testing.assert_allclose(rows @ rows.T, np.eye(7), atol=0.2)
    assert np.abs(draws.reshape(300, -1) @ rows.T).max() < 1e-4


def test_rigid_rows_see_motion(points: PriorPoints) -> None:
    rows = rigid_rows(points.positions, 468)
    arm = points.positions - points.positions.mean(axis=0)
    turned = np.cross([0, 1.0, 0], arm)
    assert abs(rows[4] @ turned.ravel()) == pytest.approx(np.linalg.norm(turned))
    assert rows[6] @ arm.ravel() == pytest.approx(np.linalg.norm(arm))
    assert rows[0] @ np.tile([1.0, 0, 0], 468) == pytest.approx(np.sqrt(468))


def test_radius_rows_ignore_common_motion_and_sliding() -> None:
    positions = np.array([[1.0, 0, 0], [0, 1.0, 0], [-1.0, 0, 0]])
    rows = radius_rows(positions, (0, 1, 2), np.zeros(3))
    np.testing.assert_allclose(rows @ np.tile([0.3, 0.2, 0.1], 3), 0, atol=1e-12)
    out = np.zeros((3, 3))
    out[0, 0] = 3.0
    np.testing.assert_allclose(rows @ out.ravel(), [2, 0, 1])
