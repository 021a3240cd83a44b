# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.upright."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.types import U8, Photo, TrackedFace
from rome_backend.tracking.face_mesh import TILES, FaceTracker
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.upright import find_faces, opaque

ARROW = np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3)


class Seer:
    """Sees a face only in the picture it was made for; says how the face is turned in it."""

    def __init__(self, picture: U8, angle_deg: float = 0.0, score: float = 1.0) -> None:
        self.picture, self.angle, self.score = picture, np.radians(angle_deg), score

    def track(self, rgb: U8, tiles: Sequence[float] = TILES) -> list[TrackedFace]:
        if rgb.shape != self.picture.shape or not (rgb == self.picture).all():
            return []
        landmarks = np.zeros((478, 3), np.float32)
        landmarks[263, :2] = np.cos(self.angle), np.sin(self.angle)
        return [TrackedFace(landmarks, self.score)]


def test_an_upright_photo_is_left_alone() -> None:
    photo = Photo(ARROW, None, "x")
    found, faces = find_faces(photo, Seer(ARROW, 30.0))  # type: ignore[arg-type]
    assert found is photo
    assert len(faces) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_is_turned_until_a_face_is_seen(turns: int) -> None:
    alpha = ARROW[..., 0]
    photo = Photo(ARROW, alpha, "x", ("several_frames",))
    upright = opaque(Photo(np.rot90(ARROW, turns), np.rot90(alpha, turns), "x"))
    found, faces = find_faces(photo, Seer(upright))  # type: ignore[arg-type]
    assert len(faces) == 1
    assert found.warnings == ("several_frames", "photo_rotated")
    np.testing.assert_array_equal(found.rgb, np.rot90(ARROW, turns))
    assert found.alpha is not None
    np.testing.assert_array_equal(found.alpha, np.rot90(alpha, turns))


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (100, 1), (180, 2), (-90, 3), (-130, 3)])
def test_a_lying_face_turns_the_photo(angle: float, turns: int) -> None:
    """The eyes' direction, turned by so many quarters counter-clockwise, points right again."""
    photo = Photo(ARROW, None, "x")
    found, _ = find_faces(photo, Seer(ARROW, angle))  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.rgb, np.rot90(ARROW, turns))
    assert found.warnings == ("photo_rotated",)


def test_an_unsure_face_is_reported_as_it_is() -> None:
    photo = Photo(ARROW, None, "x")
    found, faces = find_faces(photo, Seer(ARROW, score=0.3))  # type: ignore[arg-type]
    assert found is photo
    assert faces[0].score == 0.3


def test_no_face_leaves_the_photo_alone() -> None:
    photo = Photo(ARROW, None, "x")
    assert find_faces(photo, Seer(ARROW[:2])) == (photo, [])  # type: ignore[arg-type]


def test_clear_pixels_show_grey() -> None:
    alpha = np.array([[0, 255, 51]], np.uint8)
    rgb = np.full((1, 3, 3), 28, np.uint8)
    np.testing.assert_array_equal(opaque(Photo(rgb, alpha, "x"))[0, :, 0], [128, 28, 108])
    assert opaque(Photo(rgb, None, "x")) is rgb


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_real_photo_any_way_up(tracker_models: Path, data_dir: Path, turns: int) -> None:
    photo = load_photo(data_dir / "photos" / "p03_ruppersberger.jpg")
    turned = Photo(np.ascontiguousarray(np.rot90(photo.rgb, turns)), None, photo.name)
    found, faces = find_faces(turned, FaceTracker(tracker_models))
    np.testing.assert_array_equal(found.rgb, photo.rgb)
    assert found.warnings == (("photo_rotated",) if turns else ())
    assert len(faces) == 1 and faces[0].score > 0.9
