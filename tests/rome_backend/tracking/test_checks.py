# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.checks: each measure by itself, then every file of the data."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rome_backend.core.errors import PhotoRefused, UsageError
from rome_backend.core.types import F32, U8, FaceFit, FlameParams, Photo, TrackedFace
from rome_backend.open_head.build import generate
from rome_backend.tracking.checks import (
    judge,
    judge_fit,
    landmark_yaw,
    mouth_opening,
    outside_share,
    seen_from_the_side,
)
from rome_backend.tracking.face_mesh import FaceTracker, face_extent
from rome_backend.tracking.fit import FaceFitter
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.upright import find_faces

SOURCE_PHOTO = "p02_obama_official.jpg"


def flat_face(x: float, y: float, height: float, yaw_deg: float = 0.0) -> F32:
    """An ellipse of landmarks on a cylinder of the face's width, turned about its axis."""
    random = np.random.default_rng(0)
    across, down = random.uniform(-1, 1, (2, 478))
    across[[234, 454]], down[[234, 454]] = (-1, 1), 0
    down[[10, 152]] = -1, 1
    turn = np.radians(yaw_deg)
    points = np.stack([0.4 * across * np.cos(turn), 0.5 * down, 0.4 * across * np.sin(turn)], 1)
    return (points * height + [x, y, 0]).astype(np.float32)


@pytest.mark.parametrize("yaw", [-80, -30, 0, 45, 70])
def test_yaw_from_landmarks(yaw: float) -> None:
    assert landmark_yaw(flat_face(100, 100, 90, yaw)) == pytest.approx(yaw, abs=0.1)


def test_the_share_outside() -> None:
    photo = Photo(np.zeros((200, 200, 3), np.uint8), None, "x")
    assert outside_share(flat_face(100, 100, 90), photo) == 0
    assert outside_share(flat_face(0, 100, 90), photo) == pytest.approx(0.5, abs=0.08)
    assert outside_share(flat_face(100, 400, 90), photo) == 1


def refusal(photo: Photo, *faces: TrackedFace) -> str:
    with pytest.raises(PhotoRefused) as caught:
        judge(photo, list(faces))
    assert caught.value.hint and photo.name in caught.value.message
    return caught.value.code


def test_refusals() -> None:
    photo = Photo(np.zeros((300, 300, 3), np.uint8), None, "holiday.jpg")
    good = flat_face(150, 150, 120)
    assert refusal(photo) == "no_face"
    assert refusal(photo, TrackedFace(good, 0.3)) == "no_face"
    assert refusal(photo, TrackedFace(flat_face(150, 150, 20), 1.0)) == "face_too_small"
    assert refusal(photo, TrackedFace(flat_face(-20, 150, 120), 1.0)) == "face_cut_off"
    assert refusal(photo, TrackedFace(flat_face(150, 150, 120, 75), 1.0)) == "face_turned"


@pytest.mark.parametrize(
    ("yaw", "score", "profile"),
    [(0, 0.6, False), (40, 0.6, False), (47, 1.0, False), (47, 0.6, True), (-50, 0.7, True),
     (-62, 1.0, True), (50, 0.1, False), (20, 0.3, False)],
)  # fmt: skip
def test_profiles(yaw: float, score: float, profile: bool) -> None:
    assert seen_from_the_side(TrackedFace(flat_face(150, 150, 120, yaw), score)) == profile


def test_a_profile_that_is_hardly_a_face_is_still_called_a_profile() -> None:
    photo = Photo(np.zeros((300, 300, 3), np.uint8), None, "holiday.jpg")
    assert refusal(photo, TrackedFace(flat_face(150, 150, 120, 50), 0.35)) == "face_turned"
    assert refusal(photo, TrackedFace(flat_face(150, 150, 120, 10), 0.35)) == "no_face"


def face_with_lips_apart(gap: float) -> F32:
    """Return a flat face whose eye corners are 80 px apart and whose inner lips gap px."""
    landmarks = flat_face(150, 150, 120)
    landmarks[[33, 263]] = [110, 120, 0], [190, 120, 0]
    landmarks[[13, 14]] = [150, 180, 0], [150, 180 + gap, 0]
    return landmarks


@pytest.mark.parametrize(("gap", "share"), [(0.0, 0.0), (16.0, 0.2), (40.0, 0.5)])
def test_how_far_a_mouth_is_open(gap: float, share: float) -> None:
    landmarks = face_with_lips_apart(gap)
    assert mouth_opening(landmarks) == pytest.approx(share)
    assert mouth_opening(landmarks * np.float32(3)) == pytest.approx(share)


NAMES = ("eyeBlinkLeft", "eyeBlinkRight", "jawForward", "mouthFrownLeft", "mouthShrugLower")


@pytest.mark.parametrize(
    ("values", "strong"),
    [((0, 0, 0, 0, 0), False), ((1, 1, 0, 0.8, 0.5), False), ((0, 0, 0.9, 1.0, 1.2), True)],
)
def test_strong_expressions(values: tuple[float, ...], strong: bool) -> None:
    """Closed eyes are none, and components without a name say nothing."""
    params = FlameParams(np.zeros(3), np.array(values))
    fit = FaceFit(params, 1.0, np.eye(3), np.zeros(2), 0.0, 0.0, 0.0, 0.0)
    assert judge_fit(fit, NAMES) == (("strong_expression",) if strong else ())
    assert judge_fit(fit, [f"Exp{k}" for k in range(5)]) == ()


@pytest.mark.parametrize("number", [-1, 1, 5])
def test_a_face_that_is_not_there_is_a_usage_error(number: int) -> None:
    photo = Photo(np.zeros((300, 300, 3), np.uint8), None, "x")
    with pytest.raises(UsageError) as caught:
        judge(photo, [TrackedFace(flat_face(150, 150, 120), 1.0)], number)
    assert caught.value.code == "face_number"
    assert caught.value.exit_code == 2


@pytest.fixture(scope="module")
def tracker(tracker_models: Path) -> FaceTracker:
    return FaceTracker(tracker_models)


@pytest.fixture(scope="module")
def source(data_dir: Path) -> Photo:
    return load_photo(data_dir / "photos" / SOURCE_PHOTO)


@pytest.fixture(scope="module")
def face(tracker: FaceTracker, source: Photo) -> TrackedFace:
    return tracker.track(source.rgb)[0]


def codes(rgb: U8, *faces: TrackedFace, chosen: int = 0) -> tuple[str, ...]:
    return judge(Photo(rgb, None, "x"), list(faces), chosen)


def test_a_good_portrait_has_no_warning(source: Photo, face: TrackedFace) -> None:
    assert judge(source, [face]) == ()


def test_the_score_and_the_other_faces(source: Photo, face: TrackedFace) -> None:
    assert codes(source.rgb, TrackedFace(face.landmarks, 0.6)) == ("face_uncertain",)
    assert codes(source.rgb, face, face) == ("several_faces",)
    small = TrackedFace(flat_face(500, 800, 0.2 * face_extent(face.landmarks)), 1.0)
    assert codes(source.rgb, face, small) == ()


def test_a_bar_over_the_eyes(source: Photo, face: TrackedFace) -> None:
    rgb = source.rgb.copy()
    right, left = face.landmarks[33, :2], face.landmarks[263, :2]
    half = int(0.25 * (left[0] - right[0]))
    top, bottom = int(min(right[1], left[1])) - half, int(max(right[1], left[1])) + half
    rgb[top:bottom, int(right[0]) - half : int(left[0]) + half] = 0
    assert set(codes(rgb, face)) == {"eyes_hidden", "face_covered"}


@pytest.mark.parametrize("blocks", [20, 30])
def test_a_pixelated_face(source: Photo, face: TrackedFace, blocks: int) -> None:
    step = int(face_extent(face.landmarks) / blocks)
    height, width = source.rgb.shape[:2]
    tiny = cv2.resize(source.rgb, (width // step, height // step), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(tiny, (width, height), interpolation=cv2.INTER_NEAREST)
    assert "low_detail" in codes(np.asarray(coarse, np.uint8), face)


@pytest.mark.parametrize(("sigma", "blurred"), [(1.0, False), (8.0, True)])
def test_a_blurred_face(source: Photo, face: TrackedFace, sigma: float, blurred: bool) -> None:
    rgb = np.asarray(cv2.GaussianBlur(source.rgb, (0, 0), sigma), np.uint8)
    assert ("low_detail" in codes(rgb, face)) == blurred


def test_light(source: Photo, face: TrackedFace) -> None:
    assert "underexposed" in codes(source.rgb // 12, face)
    bright = np.clip(source.rgb.astype(int) * 3, 0, 255).astype(np.uint8)
    assert "overexposed" in codes(bright, face)


def test_a_face_at_the_border(source: Photo, face: TrackedFace) -> None:
    left = int(face.landmarks[:468, 0].min() + 0.2 * np.ptp(face.landmarks[:468, 0]))
    moved = TrackedFace(face.landmarks - np.float32([left, 0, 0]), 1.0)
    assert "face_cut_off" in codes(source.rgb[:, left:], moved)


def outcome(path: Path, tracker: FaceTracker) -> tuple[str, tuple[str, ...]]:
    try:
        photo, faces = find_faces(load_photo(path), tracker)
        warnings = photo.warnings + judge(photo, faces)
    except PhotoRefused as refused:
        assert refused.hint
        return "refuse", (refused.code,)
    return ("warn" if warnings else "ok"), warnings


def test_every_photo_gives_a_head(data_dir: Path, tracker: FaceTracker) -> None:
    refused = {}
    for path in sorted((data_dir / "photos").iterdir()):
        result, why = outcome(path, tracker)
        if result == "refuse":
            refused[path.name] = why
    assert refused == {}


def test_screams_and_turned_heads_warn(data_dir: Path, tracker: FaceTracker) -> None:
    found = {}
    for path in sorted((data_dir / "photos").iterdir()):
        if path.name[:3] in ("p02", "p04", "p10", "p13", "p25"):
            found[path.name[:3]] = outcome(path, tracker)[1]
    assert found["p25"] == ("mouth_open",)
    assert found["p13"] == ("face_turned",)  # 39 degrees by the fit
    assert found["p02"] == found["p04"] == found["p10"] == ()


def test_a_scream_is_a_strong_expression_and_a_laugh_is_none(
    data_dir: Path, tracker: FaceTracker
) -> None:
    head = generate()
    fitter = FaceFitter(head)
    found = {}
    for name in ("p02_obama_official.jpg", "p25_open_mouth_longhair.jpg"):
        face = tracker.track(load_photo(data_dir / "photos" / name).rgb)[0]
        found[name[:3]] = judge_fit(fitter.fit(face.landmarks), head.expression_names)
    assert found == {"p02": (), "p25": ("strong_expression",)}


WHY = {
    "eyes_bar.png": "face_covered",
    "half_face_crop.png": "face_cut_off",
    "pixelated_24px.png": "low_detail",
    "multi_montage_2x2.jpg": "several_faces",
    "tinyface_1600x1200.jpg": "face_small",
    "upside_down.png": "photo_rotated",
    "rot90_no_exif.png": "photo_rotated",
    "noface_profile_gray_cameraman.png": "face_turned",
    "animal_cat.png": "no_face",
    "noface_coffee.png": "no_face",
}


def test_every_negative_ends_as_expected(data_dir: Path, tracker: FaceTracker) -> None:
    expected = json.loads((data_dir / "expected_negatives.json").read_text("utf-8"))["files"]
    names = [name for name in expected if name.startswith("negatives/")]
    assert len(names) > 60
    wrong = {}
    for name in names:
        result, why = outcome(data_dir / name, tracker)
        reason = WHY.get(Path(name).name)
        if result not in expected[name]["outcome"] or (reason and reason not in why):
            wrong[name] = (result, why)
    assert wrong == {}
