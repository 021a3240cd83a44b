# SPDX-License-Identifier: Apache-2.0
"""Tests of the tracker's measured errors: symmetric, none when frontal, of believable size."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.mean_face import mirror_landmarks
from rome_backend.tracking.tracker_errors import error_modes, no_errors, tracker_bias

MIRROR = mirror_landmarks()[:468]


def test_a_frontal_face_has_no_bias() -> None:
    assert not tracker_bias(0.0, 0.0).any()


def test_the_bias_grows_with_the_turn_and_stays_believable() -> None:
    sizes = [
        1000 * np.sqrt((tracker_bias(yaw, 0.0) ** 2).sum(axis=1).mean()) for yaw in (10, 25, 45)
    ]
    assert 0.2 < sizes[0] < sizes[1] < sizes[2] < 8
    assert np.array_equal(tracker_bias(60.0, 0.0), tracker_bias(85.0, 0.0))


@pytest.mark.parametrize(("yaw", "pitch"), [(30.0, 0.0), (-18.0, 10.0)])
def test_turning_the_other_way_mirrors_the_bias(yaw: float, pitch: float) -> None:
    image = tracker_bias(-yaw, pitch)[MIRROR] * [-1, 1, 1]
    np.testing.assert_allclose(image, tracker_bias(yaw, pitch), atol=3e-5)


def test_modes_are_what_a_tracker_could_err_by() -> None:
    modes = error_modes()
    assert modes.shape[:2] == (468, 3) and no_errors().shape == modes.shape[2:]
    sizes = 1000 * np.sqrt((modes**2).sum(axis=1).mean(axis=0))
    assert 0.2 < sizes[0] < 4 and (np.diff(sizes) < 0.02).all()
    flat = modes.reshape(-1, modes.shape[2])
    alike = flat.T @ flat / np.outer(*[np.linalg.norm(flat, axis=0)] * 2)
    assert np.abs(alike - np.eye(len(alike))).max() < 0.01
