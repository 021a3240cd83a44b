# SPDX-License-Identifier: Apache-2.0
"""Tests of what hair and neck shapes are told of a head model.

Does not know the shapes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import HeadModel
from rome_backend.open_head.offset_region import cranium, offset_regions


def test_vertices_are_those_of_the_regions(small_head: HeadModel) -> None:
    hair, neck = offset_regions(small_head)
    np.testing.assert_array_equal(hair.vertices, np.flatnonzero(small_head.regions["hair"]))
    np.testing.assert_array_equal(neck.vertices, np.flatnonzero(small_head.regions["neck"]))
    np.testing.assert_allclose(hair.positions, small_head.template[hair.vertices])


def test_outward_is_a_unit_vector_away_from_the_cranium(head: HeadModel) -> None:
    for region in offset_regions(head):
        np.testing.assert_allclose(np.linalg.norm(region.outward, axis=1), 1, atol=1e-9)
    hair = offset_regions(head)[0]
    radial = hair.positions - hair.centre
    assert np.mean(np.sum(radial * hair.outward, axis=1) > 0) > 0.99


def test_border_is_near_the_face_only(head: HeadModel) -> None:
    hair, neck = offset_regions(head)
    top = np.argmax(hair.positions[:, 1])
    assert hair.border[top] > 0.05
    assert 0 < hair.border.min() < 0.03
    lowest = np.argmin(neck.positions[:, 1])
    assert neck.border[lowest] > 0.05


def test_cranium_of_a_sphere_cap() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(4000, 3))
    points *= 0.09 / np.linalg.norm(points, axis=1, keepdims=True)
    centre, radius = cranium(points + [0.0, 1.5, 0.1])
    assert radius == pytest.approx(0.09, rel=0.02)
    np.testing.assert_allclose(centre, [0, 1.5, 0.1], atol=0.016)


@pytest.mark.parametrize("name", ["hair", "neck"])
def test_a_missing_or_empty_region_is_refused(small_head: HeadModel, name: str) -> None:
    regions = {key: value for key, value in small_head.regions.items() if key != name}
    with pytest.raises(FileInvalid, match=name) as raised:
        offset_regions(replace(small_head, regions=regions))
    assert raised.value.code == "region_missing"
    assert raised.value.hint
    regions[name] = np.zeros(len(small_head.template), dtype=bool)
    with pytest.raises(FileInvalid):
        offset_regions(replace(small_head, regions=regions))


def test_overlapping_regions_are_refused(small_head: HeadModel) -> None:
    regions = dict(small_head.regions)
    regions["neck"] = regions["neck"] | regions["hair"]
    with pytest.raises(FileInvalid) as raised:
        offset_regions(replace(small_head, regions=regions))
    assert raised.value.code == "regions_overlap"
