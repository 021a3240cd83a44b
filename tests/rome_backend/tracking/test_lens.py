# SPDX-License-Identifier: Apache-2.0
"""Focal lengths become distances: of files, of people who know, of nobody. Does not know heads."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.types import HeadCrop, Photo
from rome_backend.tracking.lens import (
    UNKNOWN,
    USUAL_M,
    Lens,
    film_focal,
    lens_of,
    likeliest_distance,
)
from rome_backend.tracking.photo import load_photo


def photo(focal_mm: float | None = None) -> Photo:
    return Photo(np.zeros((300, 400, 3), np.uint8), None, "a.jpg", focal_mm=focal_mm)


def crop(step: float) -> HeadCrop:
    rgb, matte = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)
    to_crop = np.array([[1 / step, 0.0, 7.0], [0.0, 1 / step, -3.0]])
    return HeadCrop(rgb, matte, matte > 0, to_crop, np.zeros((478, 3), np.float32))


@pytest.mark.parametrize(("stored", "told"), [(85, 85.0), (0, None), (5000, None), ("wide", None)])
def test_a_file_s_word_is_taken_if_it_can_be_true(stored: int | str, told: float | None) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8769)[0xA405] = stored
    Image.new("RGB", (64, 64)).save(file, "JPEG", exif=exif)
    assert load_photo(file.getvalue()).focal_mm == told


@pytest.mark.parametrize(("taken", "told"), [((96, 64), 28.0), ((64, 96), 28.0), ((96, 96), None)])
@pytest.mark.parametrize("place", ["image", "exif"])
def test_cropped_photos_do_not_count(
    taken: tuple[int, int], told: float | None, place: str
) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    own = exif.get_ifd(0x8769)
    own[0xA405] = 28
    tags, keys = (exif, (256, 257)) if place == "image" else (own, (0xA002, 0xA003))
    tags.update(dict(zip(keys, taken, strict=True)))
    Image.new("RGB", (192, 128)).save(file, "JPEG", exif=exif)
    assert load_photo(file.getvalue()).focal_mm == told


def test_most_files_say_nothing() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    assert load_photo(file.getvalue()).focal_mm is None


def test_film_has_its_diagonal_and_portraits_their_lens() -> None:
    assert film_focal(500.0, 300, 400) == pytest.approx(43.27, abs=0.01)
    assert film_focal(1000.0, 400, 300) == pytest.approx(86.53, abs=0.01)


def test_a_given_lens_is_believed_and_meets_the_crop_s_pixels() -> None:
    lens = lens_of(photo(28.0), crop(2.0), film_focal(800.0, 300, 400))
    assert lens.focal == pytest.approx(400.0)
    # a head at 500 px/m before a lens of 400 px is 0.8 m away
    assert likeliest_distance(lens, 500.0) == pytest.approx(0.8, rel=0.005)
    assert likeliest_distance(lens, 100.0) == pytest.approx(4.0, rel=0.005)


def test_a_file_s_word_is_weighed_against_what_is_usual() -> None:
    lens = lens_of(photo(film_focal(200.0, 300, 400)), crop(1.0))
    assert 0.01 < lens.spread < 1
    alone = 200.0 / 1000.0
    assert alone < likeliest_distance(lens, 1000.0) < USUAL_M
    nearer_to_file = likeliest_distance(lens, 1000.0) ** 2 < alone * USUAL_M
    assert nearer_to_file


def test_without_a_word_the_distance_is_the_usual_one_at_any_scale() -> None:
    assert lens_of(photo(), crop(1.0)) == UNKNOWN == Lens()
    for scale in (50.0, 5000.0):
        assert likeliest_distance(UNKNOWN, scale) == pytest.approx(USUAL_M)
