# SPDX-License-Identifier: Apache-2.0
"""Tests of where expressions may move the face."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.expression_masks import key_mask, ramp
from rome_backend.open_head.expressions import ARKIT_NAMES
from rome_backend.open_head.geometry import HeadGeometry

LEFT_AND_MIDDLE = [name for name in ARKIT_NAMES if not name.endswith("Right")]


@pytest.fixture(scope="module")
def landmarks(geometry: HeadGeometry) -> np.ndarray:
    return geometry.landmark_positions[:468]


def test_a_ramp_falls_either_way() -> None:
    np.testing.assert_allclose(ramp(np.array([0.0, 1.0, 1.5, 2.0, 3.0]), 1, 2), [1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(ramp(np.array([0.0, 1.0, 1.5, 2.0, 3.0]), 2, 1), [0, 0, 0.5, 1, 1])


@pytest.mark.parametrize("name", LEFT_AND_MIDDLE)
def test_masks_are_shares_that_do_not_depend_on_size_or_height(
    landmarks: np.ndarray, name: str
) -> None:
    mask = key_mask(name, landmarks, landmarks)
    assert 0 <= mask.min() and 0.9 < mask.max() <= 1
    shifted = 1.2 * landmarks + [0, 0.5, 0.1]
    np.testing.assert_allclose(key_mask(name, shifted, shifted), mask, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "whole", "none"),
    [
        ("eyeBlinkLeft", 386, 159),
        ("eyeBlinkLeft", 374, 425),
        ("browDownLeft", 285, 425),
        ("browInnerUp", 9, 13),
        ("cheekSquintLeft", 280, 152),
        ("mouthSmileLeft", 425, 61),
        ("mouthPucker", 13, 386),
        ("mouthRollUpper", 13, 152),
        ("jawOpen", 152, 10),
    ],
)
def test_what_moves_and_what_does_not(
    landmarks: np.ndarray, name: str, whole: int, none: int
) -> None:
    mask = key_mask(name, landmarks, landmarks)
    assert mask[whole] > 0.9 and mask[none] == 0


def test_whole_mouth_motions_have_no_side(landmarks: np.ndarray) -> None:
    mask = key_mask("mouthLeft", landmarks, landmarks)
    assert mask[61] == pytest.approx(mask[291]) and mask[61] > 0.9
