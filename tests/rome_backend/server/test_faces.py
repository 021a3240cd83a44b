# SPDX-License-Identifier: Apache-2.0
"""Tests of the faces offered to a person: order, boxes, unsure faces, sizes of thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from rome_backend.core.types import Photo, TrackedFace
from rome_backend.server.faces import faces_found
from rome_backend.tracking.face_mesh import FaceTracker


class Tracker:
    """Sees the given faces in every upright picture."""

    def __init__(self, faces: list[TrackedFace]) -> None:
        self.faces = faces

    def track(self, rgb: Any, tiles: Sequence[float] = ()) -> list[TrackedFace]:
        return self.faces


def face(left: float, top: float, size: float, score: float = 0.99) -> TrackedFace:
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = np.array([left, top]) + size / 2
    landmarks[0, :2], landmarks[1, :2] = (left, top), (left + size, top + size)
    landmarks[33, :2] = (left + size / 4, top + size / 2)
    landmarks[263, :2] = (left + 3 * size / 4, top + size / 2)
    return TrackedFace(landmarks, score)


def found(photo: Photo, *faces: TrackedFace) -> Any:
    return faces_found(4, photo, cast(FaceTracker, Tracker(list(faces))))


def photo(width: int, height: int, alpha: Any = None) -> Photo:
    return Photo(np.full((height, width, 3), 90, np.uint8), alpha, "a.png")


def test_boxes_are_those_of_the_landmarks_in_the_order_of_the_faces() -> None:
    answer = found(photo(400, 200), face(20, 30, 100), face(200, 10, 50))
    assert (answer.request_id, answer.width, answer.height) == (4, 400, 200)
    np.testing.assert_array_equal(answer.boxes, [[20, 30, 120, 130], [200, 10, 250, 60]])


def test_what_may_be_no_face_is_left_out() -> None:
    answer = found(photo(400, 200), face(20, 30, 100, score=0.3))
    assert answer.boxes.shape == (0, 4) and answer.boxes.dtype == np.float32


@pytest.mark.parametrize(
    ("width", "height", "small"),
    [(1024, 512, (128, 256)), (100, 60, (60, 100)), (3000, 2, (1, 256)), (256, 257, (256, 255))],
)
def test_the_longer_side_of_the_thumbnail_is_at_most_256(
    width: int, height: int, small: tuple[int, int]
) -> None:
    thumbnail = found(photo(width, height)).thumbnail
    assert thumbnail.shape == (*small, 3) and thumbnail.dtype == np.uint8
    assert (thumbnail == 90).all()


def test_what_is_transparent_is_grey_in_the_thumbnail() -> None:
    alpha = np.zeros((60, 100), np.uint8)
    assert (found(photo(100, 60, alpha)).thumbnail == 128).all()
