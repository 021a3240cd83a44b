# SPDX-License-Identifier: Apache-2.0
"""From photo to aligned source: where things land, black outside, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.tracking.aligned_source import align_source, square_around
from rome_backend.tracking.alignment import aligned, ffhq_theta


def face(centre: tuple[float, float], scale: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (68, 2))
    points[36:42] = rng.normal([-0.5, -0.4], 0.05, (6, 2))
    points[42:48] = rng.normal([0.5, -0.4], 0.05, (6, 2))
    points[48:60] = rng.normal([0, 0.6], 0.1, (12, 2))
    return points * scale + np.array(centre)


def dotted(points: np.ndarray, height: int, width: int) -> np.ndarray:
    """A black photo with a soft white dot at landmark 30."""
    y, x = np.mgrid[:height, :width] + 0.5
    dot = np.exp(-((x - points[30, 0]) ** 2 + (y - points[30, 1]) ** 2) / 50)
    return np.repeat((255 * dot).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(("height", "width"), [(300, 300), (300, 420), (420, 300)])
def test_the_picture_lands_where_the_landmarks_say(height: int, width: int) -> None:
    points = face((width / 2 + 10, height / 2), 60)
    photo = dotted(points, height, width)
    source = align_source(photo, photo[..., 0].astype(np.float32) / 255, points)
    y, x = np.mgrid[:256, :256] + 0.5
    for layer in (source.picture[1], source.matte[0]):
        weight = layer / layer.sum()
        found = np.array([(weight * x).sum(), (weight * y).sum()])
        assert np.abs(found - (source.landmarks[30] + 1) * 128).max() < 0.3


def test_a_square_photo_of_the_right_size_is_only_aligned() -> None:
    points = face((128, 128), 50)
    rng = np.random.default_rng(1)
    photo = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    source = align_source(photo, np.ones((256, 256), np.float32), points)
    plain = photo.transpose(2, 0, 1).astype(np.float32) / 255
    assert np.array_equal(source.picture, aligned(plain, ffhq_theta(points, 256)))
    assert source.picture.dtype == source.matte.dtype == np.float32
    assert 0 <= source.matte.min() and source.matte.max() == 1


def test_the_square_is_twice_the_face_and_a_sixth_higher() -> None:
    points = np.array([[100.0, 200], [160, 290]])
    assert square_around(points) == (130 - 90, 245 - 15 - 90, 180)


def test_outside_the_photo_is_black_and_empty() -> None:
    points = face((20, 30), 15)
    photo = np.full((60, 80, 3), 200, np.uint8)
    source = align_source(photo, np.ones((60, 80), np.float32), points)
    outside = source.matte[0] < 0.01
    assert outside.any() and source.picture[:, outside].max() < 0.05
    assert abs(source.picture[:, source.matte[0] > 0.99].mean() - 200 / 255) < 0.01


def test_another_side_shows_the_same() -> None:
    points = face((150, 150), 60)
    photo = dotted(points, 300, 300)
    matte = np.ones((300, 300), np.float32)
    small, large = (align_source(photo, matte, points, side) for side in (128, 512))
    assert small.picture.shape == (3, 128, 128) and large.matte.shape == (1, 512, 512)
    assert np.abs(small.landmarks - large.landmarks).max() < 0.02


def test_what_does_not_fit_is_refused() -> None:
    photo, points = np.zeros((30, 40, 3), np.uint8), face((20, 15), 8)
    with pytest.raises(ValueError, match="matte"):
        align_source(photo, np.zeros((40, 30), np.float32), points)
    with pytest.raises(ValueError, match="no face"):
        align_source(photo, np.zeros((30, 40), np.float32), np.zeros((68, 2)))
    with pytest.raises(ValueError, match="not square"):
        align_source(photo, np.zeros((30, 40), np.float32), points, crop=False)
