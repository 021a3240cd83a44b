# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.face_measures on pictures drawn here."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rome_backend.core.types import F32, U8, Photo, TrackedFace
from rome_backend.tracking.face_measures import FacePicture

RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)
SIDE = 400


def landmarks() -> F32:
    """A disc of 200 px in the middle, with two eyes."""
    angle = np.linspace(0, 40 * np.pi, 478)
    radius = 100 * np.sqrt(np.linspace(0, 1, 478))
    points = np.stack([200 + radius * np.cos(angle), 200 + radius * np.sin(angle), 0 * angle], 1)
    for centre, eye in ((165, RIGHT_EYE), (235, LEFT_EYE)):
        turn = np.linspace(np.pi, 3 * np.pi, len(eye), endpoint=False)
        turn = turn if eye is RIGHT_EYE else np.pi - turn
        points[list(eye), 0] = centre + 16 * np.cos(turn)
        points[list(eye), 1] = 185 + 8 * np.sin(turn)
    return points.astype(np.float32)


FACE = TrackedFace(landmarks(), 1.0)


def noise(contrast: float, middle: float = 128) -> U8:
    grey = np.random.default_rng(0).normal(middle, contrast, (SIDE, SIDE, 1))
    return np.repeat(np.clip(grey, 0, 255), 3, 2).astype(np.uint8)


def picture(rgb: U8) -> FacePicture:
    return FacePicture(Photo(rgb, None, "x"), FACE)


@pytest.mark.parametrize("value", [0, 90, 255])
def test_brightness(value: int) -> None:
    assert picture(np.full((SIDE, SIDE, 3), value, np.uint8)).brightness() == pytest.approx(value)


def test_flat_patches_white_or_not() -> None:
    rgb = noise(30)
    assert picture(rgb).flat_share(bright=False) < 0.01
    rgb[:200] = 0
    assert picture(rgb).flat_share(bright=False) == pytest.approx(0.5, abs=0.06)
    assert picture(rgb).flat_share(bright=True) < 0.01
    rgb[:200] = 255
    assert picture(rgb).flat_share(bright=True) == pytest.approx(0.5, abs=0.06)
    assert picture(rgb).flat_share(bright=False) < 0.01


def test_contrast_of_the_eyes() -> None:
    rgb = noise(30)
    open_eyes = picture(rgb).eye_contrast()
    rgb[170:200, 140:260] = 20
    assert picture(rgb).eye_contrast() < 0.1 < 0.5 < open_eyes


def test_detail_counts_blocks_out() -> None:
    assert picture(noise(30)).detail() > 180
    coarse = cv2.resize(noise(30)[:40, :40], (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    assert picture(np.asarray(coarse, np.uint8)).detail() == pytest.approx(20, abs=8)


@pytest.mark.parametrize("sigma", [2.0, 4.0, 8.0])
def test_detail_falls_with_blur(sigma: float) -> None:
    sharp = noise(60)
    soft = [np.asarray(cv2.GaussianBlur(sharp, (0, 0), s), np.uint8) for s in (sigma, 2 * sigma)]
    contrasty = [cv2.normalize(x, None, 0, 255, cv2.NORM_MINMAX) for x in soft]
    less, least = (picture(np.asarray(x, np.uint8)).detail() for x in contrasty)
    assert least <= less <= 200
    assert least < (200 if sigma < 4 else 100)


def test_a_flat_picture_and_a_face_outside_it_do_not_fail() -> None:
    flat = picture(np.full((SIDE, SIDE, 3), 9, np.uint8))
    assert flat.eye_contrast() == 0
    assert flat.detail() == 0
    outside = FacePicture(
        Photo(noise(30), None, "x"), TrackedFace(FACE.landmarks + np.float32([900, 0, 0]), 1.0)
    )
    assert outside.detail() == 0


def test_alpha_is_over_grey() -> None:
    clear = Photo(noise(30), np.zeros((SIDE, SIDE), np.uint8), "x")
    assert FacePicture(clear, FACE).brightness() == 128
