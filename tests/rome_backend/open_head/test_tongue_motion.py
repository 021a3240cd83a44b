# SPDX-License-Identifier: Apache-2.0
"""Tests of tongueOut: the tongue passes between the lips and through neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.open_head.expressions import ExpressiveFace
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.tongue_motion import JAW_OPENS, tongue_out


@pytest.fixture(scope="module")
def opened(geometry: HeadGeometry) -> np.ndarray:
    return ExpressiveFace(geometry).jaw().opened()


def test_the_tip_lies_before_the_lower_lip(geometry: HeadGeometry, opened: np.ndarray) -> None:
    moved = geometry.vertices + tongue_out(geometry, opened)
    tongue = moved[geometry.regions["tongue"]]
    lip = moved[14]
    assert 0.008 < tongue[:, 2].max() - lip[2] < 0.02
    over = tongue[(np.abs(tongue[:, 2] - lip[2]) < 0.003) & (np.abs(tongue[:, 0]) < 0.006)]
    assert len(over) > 2
    assert lip[1] < over[:, 1].min() and over[:, 1].max() < moved[13, 1]


def test_the_root_stays_and_all_is_symmetric(geometry: HeadGeometry, opened: np.ndarray) -> None:
    delta = tongue_out(geometry, opened)
    tongue = np.flatnonzero(geometry.regions["tongue"])
    root = tongue[geometry.vertices[tongue, 2].argmin()]
    assert np.linalg.norm(delta[root]) < 0.004
    image = delta[geometry.mirror] * (-1, 1, 1)
    np.testing.assert_allclose(image[tongue], delta[tongue], atol=1e-9)


def test_a_head_without_a_tongue_opens_its_mouth(
    geometry: HeadGeometry, opened: np.ndarray
) -> None:
    regions = {name: mask for name, mask in geometry.regions.items() if name != "tongue"}
    delta = tongue_out(replace(geometry, regions=regions), opened)
    np.testing.assert_array_equal(delta, JAW_OPENS * opened)
