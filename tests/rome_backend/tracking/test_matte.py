# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.matte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.types import HeadCrop, Photo
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.face_mesh import FaceTracker
from rome_backend.tracking.matte import PersonMatte
from rome_backend.tracking.photo import load_photo


@pytest.fixture(scope="module")
def matte(tracker_models: Path) -> PersonMatte:
    return PersonMatte(tracker_models)


@pytest.fixture(scope="module")
def tracker(tracker_models: Path) -> FaceTracker:
    return FaceTracker(tracker_models)


def crop_of(photo: Photo, tracker: FaceTracker, matte: PersonMatte) -> HeadCrop:
    return head_crop(photo, tracker.track(photo.rgb)[0], matte)


@pytest.mark.parametrize(
    "name", ["p01_astronaut_collins.png", "p12_jackson_lee_braids.jpg", "p18_ai_dreads.png"]
)
def test_the_person_is_in_and_the_background_is_out(
    matte: PersonMatte, tracker: FaceTracker, data_dir: Path, name: str
) -> None:
    crop = crop_of(load_photo(data_dir / "photos" / name), tracker, matte)
    size = len(crop.matte)
    middle = crop.landmarks[:468, :2].mean(0)
    points = np.rint(middle + 0.9 * (crop.landmarks[:468, :2] - middle)).astype(int)
    assert crop.matte[points[:, 1], points[:, 0]].min() > 0.95
    top = crop.landmarks[:468, 1].min()
    corners = crop.matte[: int(top * 0.6), : size // 8], crop.matte[: int(top * 0.6), -size // 8 :]
    assert max(part.max() for part in corners) < 0.05
    assert 0.15 < crop.matte.mean() < 0.6
    shoulders = crop.matte[int(size * 0.9), size // 3 : -size // 3]
    assert shoulders.mean() > 0.9


def test_a_known_silhouette_is_recovered(
    matte: PersonMatte, tracker: FaceTracker, data_dir: Path
) -> None:
    """A person put before another background: the matte of both is the same but for the edge."""
    photo = load_photo(data_dir / "photos" / "p03_ruppersberger.jpg")
    face = tracker.track(photo.rgb)[0]
    before = head_crop(photo, face, matte)
    rows, columns = np.mgrid[: photo.rgb.shape[0], : photo.rgb.shape[1]]
    wall = np.stack([120 + columns // 4, 150 - rows // 8, 60 + rows // 4], -1)
    linear, shift = before.photo_to_crop[:, :2], before.photo_to_crop[:, 2]
    places = np.rint(np.stack([columns + 0.5, rows + 0.5], -1) @ linear.T + shift - 0.5)
    x, y = np.clip(places.astype(int), 0, len(before.matte) - 1).transpose(2, 0, 1)
    cover = before.matte[y, x][..., None]
    mixed = np.rint(photo.rgb * cover + wall * (1 - cover)).astype(np.uint8)
    after = head_crop(Photo(mixed, None, "mixed"), face, matte)
    a, b = before.matte > 0.5, after.matte > 0.5
    both = before.valid & after.valid
    assert (a & b & both).sum() / ((a | b) & both).sum() > 0.93


def test_parts_without_connection_to_the_face_are_dropped(
    matte: PersonMatte, tracker: FaceTracker, data_dir: Path
) -> None:
    photo = load_photo(data_dir / "photos" / "p03_ruppersberger.jpg")
    pair = np.full((300, 640, 3), (90, 120, 140), np.uint8)
    pair[25:, :225] = photo.rgb
    pair[25:, 415:] = photo.rgb
    known = np.zeros((300, 640), bool)
    known[100:150, 90:130] = True
    assert matte(pair, known)[:, 420:].max() < 0.2
    assert matte(pair)[100:150, 500:540].mean() > 0.8


def test_same_picture_same_matte(matte: PersonMatte, data_dir: Path) -> None:
    rgb = load_photo(data_dir / "photos" / "p03_ruppersberger.jpg").rgb
    first = matte(rgb)
    np.testing.assert_array_equal(first, matte(rgb))
    assert first.dtype == np.float32 and first.shape == rgb.shape[:2]
    assert first.min() >= 0 and first.max() <= 1


@pytest.mark.parametrize("value", [0, 255])
def test_a_picture_of_nothing_has_a_matte_of_nothing(matte: PersonMatte, value: int) -> None:
    assert matte(np.full((256, 256, 3), value, np.uint8)).mean() < 0.3
