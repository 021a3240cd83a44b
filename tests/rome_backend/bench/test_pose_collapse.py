# SPDX-License-Identifier: Apache-2.0
"""Tests of the measures of collapse: nothing at rest, and what is broken on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.bench.pose_collapse import (
    _compared,
    face_changes,
    jaw_opening_mm,
    turned,
    visible_faces,
)
from rome_backend.core.types import HeadModel


@pytest.fixture(scope="module")
def head(average_head: HeadModel) -> HeadModel:
    return average_head


def test_a_turned_whole_changes_nothing(head: HeadModel) -> None:
    rest = head.template.astype(np.float64)
    spin = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    found = _compared(head, rest, rest @ spin.T + 1.0, visible_faces(head))
    assert found["flipped_faces"] == found["crushed_faces"] == 0
    ratios = [found[name] for name in ("least_area", "least_edge", "corner_stretch", "thickness")]
    assert ratios == pytest.approx([1, 1, 1, 1], abs=1e-3)


def test_a_vertex_pushed_over_its_neighbours_flips_a_face(head: HeadModel) -> None:
    rest = head.template.astype(np.float64)
    faces = visible_faces(head)
    moved = rest.copy()
    around = np.unique(faces[(faces == 10).any(axis=1)])
    moved[10] += 4 * (rest[around] - rest[10])[1]
    found = _compared(head, rest, moved, faces)
    assert found["flipped_faces"] > 0


def test_a_pinched_neck_is_thin(head: HeadModel) -> None:
    rest = head.template.astype(np.float64)
    moved = rest.copy()
    neck = head.regions["neck"]
    axis = (head.joint_regressor.astype(np.float64) @ rest)[1]
    moved[neck] = axis + (rest[neck] - axis) * (0.5, 1.0, 0.5)
    assert _compared(head, rest, moved, visible_faces(head))["thickness"] < 0.7


def test_a_crushed_face_is_counted(head: HeadModel) -> None:
    rest = head.template.astype(np.float64)
    faces = visible_faces(head)
    moved = rest.copy()
    moved[faces[0]] = rest[faces[0]].mean(axis=0) + 0.2 * (
        rest[faces[0]] - rest[faces[0]].mean(axis=0)
    )
    area, cosine = face_changes(rest, moved, faces)
    assert area[0] == pytest.approx(0.04, abs=1e-6) and cosine[0] == pytest.approx(1)
    assert _compared(head, rest, moved, faces)["crushed_faces"] >= 1


def test_the_jaw_turns_alone_and_opens_the_mouth(head: HeadModel) -> None:
    moved = turned(head, "jaw", "x", 30.0)
    assert moved[152, 1] < head.template[152, 1] - 0.02
    assert np.abs(moved - head.template)[head.regions["hair"]].max() < 5e-5
    assert 30 < jaw_opening_mm(head) < 60


def test_what_cannot_be_seen_is_left_out(head: HeadModel) -> None:
    seen = np.unique(visible_faces(head))
    assert not head.regions["mouth_inside"][seen].any()
    assert not head.regions["left_eyeball"][seen].any()
    assert {1, 13, 152} <= set(seen)
