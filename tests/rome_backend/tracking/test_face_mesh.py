# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.face_mesh."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from rome_backend.core.landmarks import interocular_distance
from rome_backend.core.types import F32, U8, TrackedFace
from rome_backend.tracking.detect import Detection
from rome_backend.tracking.face_mesh import (
    FaceTracker,
    Region,
    face_extent,
    region_of_detection,
    region_of_landmarks,
)
from rome_backend.tracking.photo import load_photo

PHOTO = "p02_obama_official.jpg"


def test_a_region_maps_its_corners_and_centre() -> None:
    region = Region(np.array([50.0, 80.0]), 96.0, math.pi / 2)
    to_picture = region.to_picture()
    place = to_picture @ np.array([[96, 96, 1], [192, 96, 1], [96, 192, 1]]).T
    np.testing.assert_allclose(place.T, [[50, 80], [50, 128], [2, 80]], atol=1e-9)


def test_the_region_of_a_detection_is_upright_between_the_eyes() -> None:
    keypoints = np.array([[10.0, 30.0], [10.0, 10.0], [0, 0], [0, 0], [0, 0], [0, 0]])
    region = region_of_detection(Detection(np.ones(2), np.array([20.0, 30.0]), keypoints, 1.0))
    assert region.side == 45
    assert region.angle == pytest.approx(-math.pi / 2)


@pytest.mark.parametrize("angle", [0.0, 0.7, 3.0, -1.6])
def test_the_region_of_landmarks_turns_and_grows_with_them(angle: float) -> None:
    points = np.random.default_rng(1).uniform(-30, 30, (478, 3))
    points[33], points[263] = (-20, 0, 0), (20, 0, 0)
    still = region_of_landmarks(points.astype(np.float32))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = points.copy()
    moved[:, :2] = 2 * points[:, :2] @ turn.T + [300, 200]
    region = region_of_landmarks(moved.astype(np.float32))
    assert region.side == pytest.approx(2 * still.side, rel=1e-4)
    assert math.cos(region.angle - angle) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(region.centre, 2 * turn @ still.centre + [300, 200], atol=1e-3)


def test_a_moved_region() -> None:
    region = Region(np.zeros(2), 10.0, 0.5).moved(0.1, -0.2, 2.0, 0.25)
    np.testing.assert_allclose(region.centre, [1, -2])
    assert (region.side, region.angle) == (20.0, 0.75)


@pytest.fixture(scope="module")
def tracker(tracker_models: Path) -> FaceTracker:
    return FaceTracker(tracker_models)


@pytest.fixture(scope="module")
def portrait(data_dir: Path) -> U8:
    return load_photo(data_dir / "photos" / PHOTO).rgb


@pytest.fixture(scope="module")
def face(tracker: FaceTracker, portrait: U8) -> TrackedFace:
    (found,) = tracker.track(portrait)
    return found


def distance(a: F32, b: F32) -> float:
    """Mean distance of landmarks in percent of the inter-ocular distance."""
    return 100 * float(np.linalg.norm(a - b, axis=1).mean()) / interocular_distance(a)


def test_landmarks_are_where_the_face_has_them(face: TrackedFace) -> None:
    points = face.landmarks
    assert points.shape == (478, 3) and points.dtype == np.float32
    assert face.score > 0.95
    assert points[10, 1] < points[33, 1] < points[1, 1] < points[13, 1] < points[152, 1]
    assert points[234, 0] < points[33, 0] < points[1, 0] < points[263, 0] < points[454, 0]
    assert points[1, 2] < points[33, 2] < points[234, 2], "the nose is nearest"
    for iris, corners in ((468, (33, 133)), (473, (362, 263))):
        assert points[corners[0], 0] < points[iris, 0] < points[corners[1], 0]
        ring = np.linalg.norm(points[iris + 1 : iris + 5, :2] - points[iris, :2], axis=1)
        assert ring.std() < 0.25 * ring.mean()
        assert np.ptp(points[iris : iris + 5, 2]) == 0, "an iris lies at one depth"


def test_a_mirrored_picture_gives_mirrored_landmarks(
    tracker: FaceTracker, portrait: U8, face: TrackedFace
) -> None:
    (other,) = tracker.track(np.ascontiguousarray(portrait[:, ::-1]))
    middle = [10, 151, 9, 168, 6, 197, 5, 4, 1, 2, 0, 13, 14, 17, 152]
    sums = face.landmarks[middle, 0] + other.landmarks[middle, 0] - portrait.shape[1]
    assert abs(sums.mean()) / 2 < 0.01 * interocular_distance(face.landmarks)


@pytest.mark.parametrize("angle", [-35, 20, 90, 180])
def test_landmarks_turn_with_the_picture(
    tracker: FaceTracker, portrait: U8, face: TrackedFace, angle: int
) -> None:
    centre = face.landmarks[1, :2].astype(float)
    matrix = cv2.getRotationMatrix2D(tuple(centre - 0.5), angle, 1.0)
    turned = cv2.warpAffine(portrait, matrix, (portrait.shape[1], portrait.shape[0]))
    linear = matrix[:, :2]
    wanted = (face.landmarks[:, :2] - centre) @ linear.T + centre
    region = region_of_landmarks(face.landmarks).moved(0, 0, 1, -math.radians(angle))
    centre_of_region = linear @ (region.centre - centre) + centre
    (seen,) = tracker.look(turned, [Region(centre_of_region, region.side, region.angle)])
    assert distance(seen.landmarks[:, :2], wanted.astype(np.float32)) < 3


def test_following_finds_the_face_that_moved(
    tracker: FaceTracker, portrait: U8, face: TrackedFace
) -> None:
    shifted = np.roll(portrait, (12, -20), (0, 1))
    moved = tracker.follow(shifted, face)
    assert moved.score > 0.9
    assert distance(moved.landmarks[:, :2], face.landmarks[:, :2] + np.float32([-20, 12])) < 3
    assert tracker.follow(np.zeros_like(portrait), face).score < 0.5


def test_several_regions_at_once_are_the_same_as_one_by_one(
    tracker: FaceTracker, portrait: U8, face: TrackedFace
) -> None:
    region = region_of_landmarks(face.landmarks)
    regions = [region, region.moved(0.05, 0, 1, 0), region.moved(0, 0, 1.1, 0.1)]
    together = tracker.look(portrait, regions)
    for seen, part in zip(together, regions, strict=True):
        (alone,) = tracker.look(portrait, [part])
        np.testing.assert_allclose(seen.landmarks, alone.landmarks, atol=0.02)


def test_every_face_of_a_picture_largest_first(tracker: FaceTracker, portrait: U8) -> None:
    head = portrait[50:650, 150:750]
    picture = np.full((700, 1200, 3), 80, np.uint8)
    picture[50:650, 0:600] = head
    picture[200:500, 800:1100] = cv2.resize(head, (300, 300), interpolation=cv2.INTER_AREA)
    faces = tracker.track(picture)
    assert len(faces) == 2
    first, second = (face_extent(found.landmarks) for found in faces)
    assert first == pytest.approx(2 * second, rel=0.1)
    assert faces[0].landmarks[1, 0] < 600 < faces[1].landmarks[1, 0]


def test_what_resembles_a_face_gets_no_credit(tracker: FaceTracker) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert all(found.score < 0.5 for found in tracker.track(noise))
    assert tracker.track(np.full((300, 300, 3), 200, np.uint8)) == []
    assert tracker.track(np.zeros((5, 900, 3), np.uint8)) == []


# MediaPipe 0.10.21's own landmarks (FaceMesh, static, refined) of the photo, px: nose tip,
# forehead, lip, eye and mouth corners, chin, cheeks and irises.
REFERENCE_INDICES = (1, 10, 13, 33, 61, 152, 234, 263, 291, 454, 468, 473)
REFERENCE = (
    (496.6, 281.4, -63.0),
    (495.5, 124.6, -6.4),
    (496.9, 320.1, -25.3),
    (422.0, 216.0, 16.2),
    (434.4, 322.7, 10.1),
    (495.4, 423.6, 2.8),
    (371.6, 252.8, 105.4),
    (572.1, 214.1, 21.8),
    (553.8, 317.8, 13.4),
    (610.5, 251.9, 114.4),
    (443.2, 214.3, 7.8),
    (550.0, 212.0, 11.8),
)


def test_landmarks_agree_with_mediapipe(face: TrackedFace) -> None:
    wanted = np.array(REFERENCE, np.float32)
    got = face.landmarks[list(REFERENCE_INDICES)]
    across = interocular_distance(face.landmarks)
    assert 100 * np.linalg.norm(got[:, :2] - wanted[:, :2], axis=1).mean() / across < 2.0
    assert 100 * np.abs(got[:, 2] - wanted[:, 2]).mean() / across < 3.0
