# SPDX-License-Identifier: Apache-2.0
"""Measures: their ends, what they notice and what they must not see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from training.evaluation.scores import GROUND, MOST_DB, Scores, mean_scores, score, summary

SIDE = 48


@pytest.fixture
def real() -> np.ndarray:
    random = np.random.default_rng(0)
    noise = random.uniform(0, 255, (SIDE, SIDE, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.0).clip(0, 255).astype(np.uint8)


@pytest.fixture
def matte() -> np.ndarray:
    row, column = (np.indices((SIDE, SIDE)) + 0.5) / SIDE - 0.5
    return (np.hypot(row, column) < 0.4).astype(np.float32)


@pytest.fixture
def above() -> np.ndarray:
    return np.repeat((np.arange(SIDE) < 30).astype(np.float32)[:, None], SIDE, 1)


def test_the_real_picture_is_perfect(
    real: np.ndarray, matte: np.ndarray, above: np.ndarray
) -> None:
    found = score(real, matte, above, real, matte)
    assert found.psnr == MOST_DB and found.matte_mae == 0
    assert found.ssim == pytest.approx(1) and found.sharpness_ratio == pytest.approx(1)


def test_psnr_is_that_of_the_mask(real: np.ndarray, matte: np.ndarray, above: np.ndarray) -> None:
    other = np.clip(real.astype(int) + 10, 0, 255).astype(np.uint8)
    inside = (matte * above)[..., None].astype(bool) & np.ones(3, bool)
    error = (other.astype(float) - real)[inside]
    wanted = 10 * np.log10(255**2 / (error**2).mean())
    assert score(real, matte, above, other, matte).psnr == pytest.approx(wanted)


def test_what_is_outside_the_mask_does_not_count(
    real: np.ndarray, matte: np.ndarray, above: np.ndarray
) -> None:
    other = real.copy()
    other[40:] = 0
    assert score(real, matte, above, other, matte).psnr == MOST_DB
    body = matte.copy()
    body[32:] = 0
    assert score(real, matte, above, real, body).matte_mae == 0
    less = matte.copy()
    less[:15] = 0
    missing = score(real, matte, above, real, less)
    assert 0.1 < missing.matte_mae < 0.6 and missing.psnr < 40 and missing.ssim < 0.9


def test_a_hole_shows_the_ground(matte: np.ndarray, above: np.ndarray) -> None:
    black = np.zeros((SIDE, SIDE, 3), np.uint8)
    found = score(black, matte, above, black, np.zeros_like(matte))
    assert found.psnr == pytest.approx(20 * np.log10(255 / GROUND))
    assert found.matte_mae == pytest.approx(1)


def test_blur_is_less_sharp_and_noise_more(
    real: np.ndarray, matte: np.ndarray, above: np.ndarray
) -> None:
    blurred = cv2.GaussianBlur(real, (0, 0), 1.5)
    noise = np.random.default_rng(1).normal(0, 30, real.shape)
    noisy = np.clip(real + noise, 0, 255).astype(np.uint8)
    ratios = [score(real, matte, above, each, matte).sharpness_ratio for each in (blurred, noisy)]
    assert ratios[0] < 0.6 and ratios[1] > 1.2


def test_an_empty_mask_is_refused(real: np.ndarray, matte: np.ndarray) -> None:
    with pytest.raises(ValueError, match="nothing"):
        score(real, matte, np.zeros_like(matte), real, matte)


def test_means_are_plain_numbers() -> None:
    two = [Scores(20, 0.5, 0.1, 1.0), Scores(30, 0.7, 0.3, 0.5)]
    assert mean_scores(two) == {
        "psnr": 25, "ssim": 0.6, "matte_mae": 0.2, "sharpness_ratio": 0.75
    }  # fmt: skip
    assert mean_scores([]) == {}
    assert summary({"a": two, "b": two[:1]})["frames"] == 2 and summary({})["frames"] == 0
