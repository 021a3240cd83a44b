# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.detect."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rome_backend.core.types import U8
from rome_backend.tracking.detect import Detection, FaceDetector, suppress
from rome_backend.tracking.photo import load_photo


def detection(x: float, y: float, side: float, score: float) -> Detection:
    centre = np.array([x, y])
    return Detection(centre, np.array([side, side]), np.tile(centre, (6, 1)), score)


def test_overlapping_detections_become_their_weighted_mean() -> None:
    (merged,) = suppress([detection(10, 10, 20, 0.6), detection(14, 10, 24, 0.9)])
    assert merged.score == 0.9
    np.testing.assert_allclose(merged.centre, [(10 * 0.6 + 14 * 0.9) / 1.5, 10])
    np.testing.assert_allclose(merged.size, [(20 * 0.6 + 24 * 0.9) / 1.5] * 2)
    np.testing.assert_allclose(merged.keypoints[5], merged.centre)


def test_separate_detections_stay_separate_and_the_surest_comes_first() -> None:
    kept = suppress([detection(10, 10, 20, 0.6), detection(80, 10, 20, 0.9)])
    assert [face.score for face in kept] == [0.9, 0.6]


def test_nothing_in_nothing_out() -> None:
    assert suppress([]) == []


@pytest.fixture(scope="module")
def detector(tracker_models: Path) -> FaceDetector:
    return FaceDetector(tracker_models / "face_detection_short_range.tflite")


@pytest.fixture(scope="module")
def portrait(data_dir: Path) -> U8:
    return load_photo(data_dir / "photos" / "p02_obama_official.jpg").rgb


def test_a_face_is_found_with_its_eyes(detector: FaceDetector, portrait: U8) -> None:
    (face,) = detector.detect(portrait)
    assert face.score > 0.9
    right_eye, left_eye, nose, mouth = face.keypoints[:4]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < mouth[1]
    assert (np.abs(face.centre - nose) < face.size / 2).all()


@pytest.mark.parametrize(("width", "height"), [(1600, 700), (500, 1500), (997, 1003)])
def test_the_place_in_the_picture_does_not_matter(
    detector: FaceDetector, portrait: U8, width: int, height: int
) -> None:
    face = cv2.resize(portrait[100:600, 200:700], (400, 400), interpolation=cv2.INTER_AREA)
    found = []
    for left, top in ((0, 0), (width - 400, height - 400)):
        picture = np.full((height, width, 3), 90, np.uint8)
        picture[top : top + 400, left : left + 400] = face
        (seen,) = detector.detect(picture)
        found.append(seen.centre - [left, top])
    assert np.abs(found[0] - found[1]).max() < 0.02 * max(width, height)


def test_tiles_find_what_is_small_in_the_picture(detector: FaceDetector, portrait: U8) -> None:
    small = cv2.resize(portrait[100:600, 200:700], (90, 90), interpolation=cv2.INTER_AREA)
    picture = np.full((1000, 1400, 3), 90, np.uint8)
    picture[700:790, 1000:1090] = small
    assert detector.detect(picture) == []
    (face,) = detector.detect(picture, 0.2)
    assert np.abs(face.centre - [1045, 745]).max() < 25


@pytest.mark.parametrize("shape", [(64, 64, 3), (30, 900, 3), (900, 30, 3), (1, 1, 3)])
def test_a_picture_without_faces(detector: FaceDetector, shape: tuple[int, ...]) -> None:
    assert detector.detect(np.full(shape, 128, np.uint8)) == []
    assert detector.detect(np.full(shape, 128, np.uint8), 0.34) == []
