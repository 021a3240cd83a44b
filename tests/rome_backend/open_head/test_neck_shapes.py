# SPDX-License-Identifier: Apache-2.0
"""Tests of the procedural neck and shoulder shapes on the open head.

Does not know components.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.neck_shapes import (
    SIZES,
    body_shape,
    collar_band,
    from_axis,
    hair_layer,
    height,
    neck_offsets,
)
from rome_backend.open_head.offset_region import OffsetRegion, offset_regions


@pytest.fixture(scope="module")
def region(head: HeadModel) -> OffsetRegion:
    return offset_regions(head)[1]


def shaped(region: OffsetRegion, **values: float) -> np.ndarray:
    sizes = {name: np.zeros(1) for name, _ in SIZES}
    return body_shape(region, sizes | {k: np.array([v]) for k, v in values.items()})[0]


def test_height_and_axis(region: OffsetRegion) -> None:
    assert height(region).min() == 0 and height(region).max() == 1
    arm = from_axis(region)
    assert abs(arm[:, 0].mean()) < 1e-3 and abs(arm[:, 1].mean()) < 1e-9


def test_no_shape_moves_nothing(region: OffsetRegion) -> None:
    assert not shaped(region).any()


@pytest.mark.parametrize("name", ["shoulder_width", "width"])
def test_widths_push_both_sides_out(region: OffsetRegion, name: str) -> None:
    moved = shaped(region, **{name: 0.1})
    x = region.positions[:, 0]
    assert (np.sign(moved[:, 0]) * np.sign(x) >= 0).all()
    assert 0.002 < np.abs(moved).max() < 0.03
    assert not moved[:, 1:].any()


def test_shoulders_rise_and_neck_lengthens(region: OffsetRegion) -> None:
    raised = shaped(region, shoulder_height=0.02)[:, 1]
    low = height(region) < 0.15
    wide = np.abs(region.positions[:, 0]) > 0.8 * np.abs(region.positions[low, 0]).max()
    assert raised[low & wide].min() > 0.008
    longer = shaped(region, length=0.02)[:, 1]
    assert longer[np.argmin(region.positions[:, 1])] == pytest.approx(-0.02)
    assert abs(longer[np.argmax(region.positions[:, 1])]) < 1e-9


def test_shapes_fade_at_the_face(region: OffsetRegion) -> None:
    offsets = neck_offsets(region, np.random.default_rng(0), 100)
    length = np.linalg.norm(offsets, axis=2)
    assert (length <= region.border * 1.001).all()
    assert 0.01 < length.max() < 0.09


def test_second_half_mirrors_the_first(head: HeadModel, region: OffsetRegion) -> None:
    positions = head.template[region.vertices]
    image = positions * np.array([-1, 1, 1], np.float32)
    partner = np.linalg.norm(image[:, None] - positions[None], axis=2).argmin(axis=1)
    offsets = neck_offsets(region, np.random.default_rng(1), 10)
    assert len(offsets) == 20
    np.testing.assert_allclose(offsets[10:], offsets[:10, partner] * [-1, 1, 1], atol=5e-6)


def test_collar_sits_at_its_height(region: OffsetRegion) -> None:
    band = collar_band(region, np.array([0.01]), np.array([0.4]))[0]
    assert band.max() == pytest.approx(0.01, rel=0.05)
    assert abs(height(region)[np.argmax(band)] - 0.4) < 0.1
    assert band[height(region) > 0.95].max() < 0.001


def test_hair_lies_on_back_and_sides(region: OffsetRegion) -> None:
    layer = hair_layer(region, np.array([0.02]), np.array([0.0]))[0]
    arm = from_axis(region)
    upper = height(region) > 0.5
    forward = arm[:, 1] / np.linalg.norm(arm, axis=1)
    assert layer[upper & (forward > 0.5)].max() < 1e-9
    assert layer[upper & (forward < -0.5)].min() > 0.015


def test_drawing_is_deterministic(region: OffsetRegion) -> None:
    first, second = (neck_offsets(region, np.random.default_rng(5), 8) for _ in range(2))
    np.testing.assert_array_equal(first, second)
