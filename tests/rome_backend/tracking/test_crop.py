# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.crop, with made-up faces."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import F32, U8, HeadCrop, Mask, Photo, TrackedFace
from rome_backend.tracking.crop import head_crop

RNG = np.random.default_rng(0)


def face_at(x: float, y: float, height: float) -> TrackedFace:
    """Landmarks that fill an ellipse of the given height round (x, y)."""
    angle, radius = RNG.uniform(0, 2 * np.pi, 478), np.sqrt(RNG.uniform(0, 1, 478))
    points = np.stack([0.4 * radius * np.cos(angle), 0.5 * radius * np.sin(angle), radius], 1)
    points[:4] = [[0, -0.5, 0], [0, 0.5, 0], [0.4, 0, 0], [-0.4, 0, 0]]
    return TrackedFace((points * height + [x, y, 0]).astype(np.float32), 1.0)


def noise(height: int, width: int) -> U8:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


class Matter:
    """A matte that is the mask of sure pixels; remembers what it was given."""

    rgb: U8 | None = None

    def __call__(self, rgb: U8, sure: Mask | None = None) -> F32:
        assert sure is not None
        self.rgb = rgb
        return sure.astype(np.float32)


@pytest.mark.parametrize("margin", [1.2, 1.55, 1.7])
def test_the_crop_is_round_the_face_with_room_above(margin: float) -> None:
    crop = head_crop(Photo(noise(600, 800), None, "x"), face_at(400, 300, 150), Matter(), margin)
    size = len(crop.rgb)
    assert size == round(2 * margin * 150)
    low, high = crop.landmarks[:468, :2].min(0), crop.landmarks[:468, :2].max(0)
    assert low[0] + high[0] == pytest.approx(size, abs=1)
    assert low[1] > size - high[1], "more room above than below"
    assert high[1] - low[1] == pytest.approx(size / (2 * margin), rel=0.01)


def test_at_the_photos_resolution_pixels_are_copied() -> None:
    photo = Photo(noise(600, 800), None, "x")
    crop = head_crop(photo, face_at(400, 300, 150), Matter())
    offset = np.linalg.inv(crop.photo_to_crop[:, :2]) @ -crop.photo_to_crop[:, 2]
    assert crop.photo_to_crop[0, 0] == pytest.approx(1, abs=0.003)
    left, top = np.rint(offset).astype(int)
    part = photo.rgb[top : top + len(crop.rgb), left : left + len(crop.rgb)]
    difference = np.abs(crop.rgb[10:-10, 10:-10].astype(int) - part[10:-10, 10:-10])
    assert difference.mean() < 60, "half a pixel off at most"


@pytest.mark.parametrize(
    ("height", "max_size", "size"),
    [(20, 1024, 256), (150, 1024, 465), (900, 1024, 1024), (900, 2048, 2048), (900, 9999, 2048)],
)
def test_the_size_is_the_photos_within_bounds(height: int, max_size: int, size: int) -> None:
    photo = Photo(noise(300, 300), None, "x")
    crop = head_crop(photo, face_at(150, 150, height), Matter(), max_size=max_size)
    assert crop.rgb.shape == (size, size, 3)
    assert crop.matte.shape == crop.valid.shape == (size, size)


def test_landmarks_move_with_the_affine_and_depth_is_scaled() -> None:
    face = face_at(100, 120, 40)
    crop = head_crop(Photo(noise(300, 300), None, "x"), face, Matter())
    linear, shift = crop.photo_to_crop[:, :2], crop.photo_to_crop[:, 2]
    moved = face.landmarks[:, :2] @ linear.T + shift
    np.testing.assert_allclose(crop.landmarks[:, :2], moved, atol=1e-3)
    np.testing.assert_allclose(crop.landmarks[:, 2], face.landmarks[:, 2] * linear[0, 0], rtol=1e-5)


def test_valid_is_the_photo_and_its_border_is_repeated() -> None:
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[0], rgb[:, 0] = 255, 255
    crop = head_crop(Photo(rgb, None, "x"), face_at(60, 60, 100), Matter())
    rows, columns = np.nonzero(crop.valid)
    low = crop.photo_to_crop @ [0, 0, 1]
    np.testing.assert_allclose([columns.min(), rows.min()], np.ceil(low - 0.5), atol=1)
    assert (crop.rgb[: rows.min() - 2, : columns.min() - 2] == 255).all()
    assert 0.2 < crop.valid.mean() < 0.6


def with_alpha(alpha: U8) -> tuple[HeadCrop, Matter, Photo]:
    matter = Matter()
    photo = Photo(noise(400, 400), alpha, "x")
    return head_crop(photo, face_at(200, 220, 120), matter), matter, photo


def test_alpha_round_the_person_is_the_matte() -> None:
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:400, 100:300] = 255
    crop, matter, _ = with_alpha(alpha)
    assert matter.rgb is None, "the network is not asked"
    points = np.rint(crop.landmarks[:468, :2] * 0.98 + 0.01 * len(crop.matte)).astype(int)
    assert crop.matte[points[:, 1], points[:, 0]].min() == 1
    assert crop.matte[len(crop.matte) // 2, 30] == 0
    assert crop.matte.dtype == np.float32


@pytest.mark.parametrize("kind", ["through the face", "nothing left out", "behind"])
def test_other_alpha_is_not_the_matte(kind: str) -> None:
    alpha = np.full((400, 400), 255, np.uint8)
    if kind == "through the face":
        alpha[:] = np.linspace(0, 255, 400).astype(np.uint8)
    elif kind == "nothing left out":
        alpha[0, 0] = 254
    else:
        alpha[160:280, 140:260] = 0
    crop, matter, photo = with_alpha(alpha)
    assert matter.rgb is not None
    assert set(np.unique(crop.matte)) == {0, 1}


def test_the_matte_sees_grey_where_the_photo_is_clear_but_the_crop_keeps_the_colours() -> None:
    alpha = np.full((400, 400), 255, np.uint8)
    alpha[160:280, 140:260] = 0
    crop, matter, photo = with_alpha(alpha)
    assert matter.rgb is not None
    middle = len(crop.rgb) // 2
    assert (matter.rgb[middle, middle] == 128).all()
    assert crop.rgb[middle - 20 : middle + 20, middle - 20 : middle + 20].std() > 20
