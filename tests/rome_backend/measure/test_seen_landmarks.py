# SPDX-License-Identifier: Apache-2.0
"""Landmarks that the tracker sees on a mesh: where the head model has them, however it lies."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.avatar.heads import load_head
from rome_backend.core.types import HeadModel, TrackedFace
from rome_backend.measure.head_ruler import model_mesh
from rome_backend.measure.seen_landmarks import View, clay_mesh, joined, landmarks_in_view
from rome_backend.tracking.face_mesh import FaceTracker


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_head()[0]


@pytest.fixture(scope="module")
def tracker(tracker_models: object) -> FaceTracker:
    return FaceTracker()


def test_a_picture_s_landmarks_are_cast_onto_the_mesh() -> None:
    """A square 2 m before a camera of 100 px focal length: 50 px are 1 m."""
    vertices = np.array([[-1.0, -1, 2], [1, -1, 2], [1, 1, 2], [-1, 1, 2]])
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    matrix = np.array([[100.0, 0, 100], [0, 100, 100], [0, 0, 1]])
    pixels = np.full((478, 3), 300, np.float32)
    pixels[0, :2], pixels[1, :2] = (100, 100), (125, 75)
    view = View(matrix, np.eye(3), np.zeros(3))
    points, facing = landmarks_in_view(TrackedFace(pixels, 1.0), view, vertices, faces)
    assert np.allclose(points[:2], [[0, 0, 2], [0.5, -0.5, 2]]) and facing[0] == pytest.approx(1)
    assert facing[1] < 1 and np.isnan(points[2]).all()
    nothing, unseen = landmarks_in_view(None, view, vertices, faces)
    assert np.isnan(nothing).all() and not unseen.any()


def test_what_is_seen_squarely_counts_more() -> None:
    one, two, gone = np.zeros((468, 3)), np.ones((468, 3)), np.full((468, 3), np.nan)
    mean, weights = joined(
        [(one, np.full(468, 1.0)), (two, np.full(468, 0.5)), (gone, np.ones(468))]
    )
    assert np.allclose(mean, 0.5**4 / (1 + 0.5**4)) and (weights == 1).all()
    assert not joined([(gone, np.ones(468))])[1].any()


def test_a_head_in_clay_has_its_landmarks(head: HeadModel, tracker: FaceTracker) -> None:
    template = head.template.astype(np.float64)
    wanted = model_mesh(head, template)
    found = clay_mesh(template, head.faces, tracker)
    assert found is not None and np.array_equal(found.vertices, template)
    gap = 1000 * np.linalg.norm(found.landmarks - wanted.landmarks, axis=1)[found.weights > 0.3]
    assert len(gap) > 300 and np.median(gap) < 6


def test_a_head_that_lies_otherwise_is_turned(head: HeadModel, tracker: FaceTracker) -> None:
    """Millimetres, y down, looking along -z, as some programs write their meshes."""
    template = head.template.astype(np.float64)
    found = clay_mesh(1000 * template * [1, -1, -1], head.faces, tracker)
    assert found is not None and np.allclose(found.vertices, 1000 * template)


class Blind:
    """A tracker that sees no face, or in every fifth picture one that it is not sure of."""

    def __init__(self) -> None:
        self.looked = 0

    def track(self, rgb: np.ndarray) -> list[TrackedFace]:
        self.looked += 1
        return [] if self.looked % 5 else [TrackedFace(np.zeros((478, 3), np.float32), 0.2)]


def test_a_mesh_is_looked_at_from_all_axes_before_it_is_given_up() -> None:
    corner = np.vstack([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    tracker = Blind()
    assert clay_mesh(corner, np.array(faces, np.int32), tracker) is None  # type: ignore[arg-type]
    assert tracker.looked == 24
