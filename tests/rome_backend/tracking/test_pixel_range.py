# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.pixel_range."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.tracking.pixel_range import to_eight_bits


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([0, 7, 255], np.uint8), [0, 7, 255]),
        (np.array([0, 257, 32896, 65535], np.uint16), [0, 1, 128, 255]),
        (np.array([0, 100, 255], np.int32), [0, 100, 255]),
        (np.array([0, 257, 65535], np.int32), [0, 1, 255]),
        (np.array([0, 1_000_000], np.int32), [0, 255]),
        (np.array([-5, 3], np.int32), [0, 3]),
        (np.array([0, 0.5, 1.0], np.float32), [0, 128, 255]),
        (np.array([0, 0.5, 1.2], np.float32), [0, 128, 255]),
        (np.array([0, 128, 255], np.float32), [0, 128, 255]),
        (np.array([0, 257, 65535], np.float64), [0, 1, 255]),
        (np.array([np.nan, np.inf, -np.inf, 0.5]), [0, 0, 0, 128]),
        (np.array([True, False]), [1, 0]),
        (np.zeros(0, np.float32), []),
    ],
)
def test_every_type_ends_in_eight_bits(values: np.ndarray, wanted: list[int]) -> None:
    got = to_eight_bits(values)
    assert got.dtype == np.uint8
    assert got.tolist() == wanted
