# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rome_backend.core.types import F64, U8
from rome_backend.tracking.sampling import BLACK, inside, sample_square


def gradient(side: int) -> U8:
    """A picture whose first channel is 4 x and second is 4 y of each pixel's centre."""
    rows, columns = np.mgrid[:side, :side]
    return np.stack([4 * columns + 2, 4 * rows + 2, np.full_like(rows, 9)], -1).astype(np.uint8)


def similarity(step: float, angle: float, left: float, top: float) -> F64:
    cosine, sine = step * math.cos(angle), step * math.sin(angle)
    return np.array([[cosine, -sine, left], [sine, cosine, top]])


@pytest.mark.parametrize("step", [0.5, 1.0, 1.4, 2.0, 3.3])
@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
def test_pixels_come_from_where_the_matrix_says(step: float, angle: float) -> None:
    to_picture = similarity(step, angle, 0, 0)
    to_picture[:, 2] = 30 - to_picture[:, :2] @ [4, 4]
    got = sample_square(gradient(60), to_picture, 8).astype(float)
    centres = np.stack(np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5), -1)
    places = centres @ to_picture[:, :2].T + to_picture[:, 2]
    error = got[..., :2] / 4 - places
    assert np.abs(error).max() < 0.5
    assert np.abs(error.mean((0, 1))).max() < 0.1
    assert (got[..., 2] == 9).all()


def test_the_same_pixels_at_full_size() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    got = sample_square(picture, similarity(1, 0, 7, 5), 20)
    np.testing.assert_array_equal(got, picture[5:25, 7:27])


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.zeros((400, 400), np.uint8)
    stripes[:, ::2] = 255
    got = sample_square(stripes, similarity(10, 0, 0, 0), 40)
    assert np.abs(got.astype(int) - 128).max() <= 3


@pytest.mark.parametrize("place", [(-500.0, 20.0), (20.0, -500.0), (900.0, 900.0), (-30.0, -30.0)])
def test_outside_the_border_is_repeated_or_black(place: tuple[float, float]) -> None:
    picture = np.full((60, 80, 3), 200, np.uint8)
    to_picture = similarity(1, 0, *place)
    assert (sample_square(picture, to_picture, 32) == 200).all()
    black = sample_square(picture, to_picture, 32, border=BLACK)
    shown = inside(picture.shape, to_picture, 32)
    assert (black[shown] == 200).all()
    assert (black[~shown] == 0).all()


def test_inside_counts_pixel_centres() -> None:
    shown = inside((10, 20, 3), similarity(1, 0, -5.4, 2), 16)
    assert shown[:, :5].sum() == 0
    assert shown[0, 5]
    assert shown[7].any() and not shown[8].any()


def test_one_channel_stays_one_channel() -> None:
    assert sample_square(np.zeros((9, 9), np.uint8), similarity(3, 0, 0, 0), 5).shape == (5, 5)


def test_a_picture_of_one_pixel_can_be_sampled() -> None:
    got = sample_square(np.full((1, 1, 3), 7, np.uint8), similarity(0.01, 0, 0, 0), 8)
    assert (got == 7).all()
