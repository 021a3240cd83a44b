# SPDX-License-Identifier: Apache-2.0
"""Tests of the analysis of tracker errors on errors of known make."""

from __future__ import annotations

import numpy as np

from rome_backend.open_head.mean_face import mirror_landmarks
from rome_backend.tracking.tracker_errors import turn_features
from tools.compute_tracker_errors import BELIEVED, MODES, analysed

MIRROR = mirror_landmarks()[:468]


def symmetric(field: np.ndarray, sign: float = 1.0) -> np.ndarray:
    return (field + sign * field[MIRROR] * (-1, 1, 1)) / 2


def test_bias_and_modes_are_found_again() -> None:
    random = np.random.default_rng(0)
    yaws, pitches = random.uniform(-55, 55, 300), random.uniform(-20, 20, 300)
    # odd in yaw: the mirror image of the error at the opposite turn
    odd = symmetric(random.normal(size=(468, 3)), -1.0) / 1000
    down = symmetric(random.normal(size=(468, 3))) / 1000
    mode = symmetric(random.normal(size=(468, 3))) / 1000
    offset = symmetric(random.normal(size=(468, 3))) / 1000
    features = np.array([turn_features(y, p) for y, p in zip(yaws, pitches, strict=True)])
    draws = random.normal(size=300)
    errors = (
        features[:, 0, None, None] * odd
        + features[:, 3, None, None] * down
        + draws[:, None, None] * mode
        + offset
    )
    bias, modes = analysed(errors, np.column_stack([yaws, pitches]))
    assert modes.shape == (468, 3, MODES)
    # what is drawn at random leaves a little of the mode in the weights
    np.testing.assert_allclose(bias[0], odd, atol=1.5e-3)
    np.testing.assert_allclose(bias[3], down, atol=1.5e-3)
    found = modes[..., 0].ravel()
    cosine = abs(found @ mode.ravel()) / np.linalg.norm(found) / np.linalg.norm(mode)
    size = np.linalg.norm(found) / np.linalg.norm(mode) / BELIEVED
    assert cosine > 0.98 and 0.85 < size < 1.15
    assert np.linalg.norm(modes[..., 1]) < 0.1 * np.linalg.norm(found)
