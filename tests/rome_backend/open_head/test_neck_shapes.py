# SPDX-License-Identifier: Apache-2.0
"""Tests of the procedural neck and shoulder shapes on the open head.

Does not know components.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.normals import face_crosses
from rome_backend.core.types import HeadModel
from rome_backend.open_head.neck_shapes import (
    SIZES,
    body_shape,
    clothes,
    from_axis,
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


def test_a_coat_lies_round_the_lower_neck_alone(region: OffsetRegion) -> None:
    coat = clothes(region, np.array([0.01]), np.zeros(1))[0]
    size = np.linalg.norm(coat, axis=1)
    up = height(region)
    np.testing.assert_allclose(size[up < 0.34], 0.01, atol=1e-9)
    assert size[up > 0.76].max() < 1e-9
    assert (coat[:, [0, 2]] * from_axis(region) >= 0).all()
    assert not coat[:, 1].any()


def test_shoulders_rise_beside_the_neck_and_not_at_the_lower_end(region: OffsetRegion) -> None:
    risen = clothes(region, np.zeros(1), np.array([0.03]))[0]
    assert not risen[:, [0, 2]].any() and risen[:, 1].min() >= 0
    assert 0.01 < risen[:, 1].max() <= 0.03
    highest = from_axis(region)[np.argmax(risen[:, 1])]
    assert 0.04 < abs(highest[0]) < 0.12
    assert risen[height(region) < 0.01, 1].max() < 0.001


def test_no_drawn_shape_folds_the_neck(head: HeadModel, region: OffsetRegion) -> None:
    inside = np.isin(head.faces, region.vertices).all(axis=1)
    before = face_crosses(head.template.astype(float), head.faces[inside])
    for offsets in neck_offsets(region, np.random.default_rng(3), 20):
        vertices = head.template.astype(float)
        vertices[region.vertices] += offsets
        after = face_crosses(vertices, head.faces[inside])
        assert ((before * after).sum(axis=1) < 0).mean() < 0.002


def test_drawing_is_deterministic(region: OffsetRegion) -> None:
    first, second = (neck_offsets(region, np.random.default_rng(5), 8) for _ in range(2))
    np.testing.assert_array_equal(first, second)
