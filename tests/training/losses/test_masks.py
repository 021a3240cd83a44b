# SPDX-License-Identifier: Apache-2.0
"""Losses of masks: their ends, and which inputs they leave without gradient."""

from __future__ import annotations

import pytest
import torch

from training.losses.form import is_released
from training.losses.masks import dice, occupancy, on_random_ground


def test_dice_is_0_for_the_same_mask_and_1_for_the_opposite() -> None:
    matte = torch.zeros(2, 1, 8, 8)
    matte[:, :, :4] = 1
    logits = 40 * (2 * matte - 1)
    assert dice(logits, matte).item() == pytest.approx(0, abs=1e-5)
    assert dice(-logits, matte).item() == pytest.approx(1, abs=1e-5)


def test_occupancy_of_the_paper_grows_with_the_picture_that_of_the_release_does_not() -> None:
    small, large = (torch.zeros(2, 1, side, side) for side in (4, 8))
    for form, ratio in (("paper", 4), ("released", 1)):
        values = [occupancy(each + 0.5, each, form) for each in (small, large)]  # type: ignore[arg-type]
        assert values[1] == ratio * values[0] > 0


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="'mine'"):
        is_released("mine")  # type: ignore[arg-type]


def test_the_ground_trains_the_picture_and_not_the_mask() -> None:
    picture = torch.rand(1, 3, 4, 4, requires_grad=True)
    logits = torch.zeros(1, 1, 4, 4, requires_grad=True)
    made = on_random_ground(picture, logits, torch.full((1, 3, 1, 1), 0.25))
    assert torch.allclose(made, picture / 2 + 0.125)
    made.sum().backward()
    assert picture.grad is not None and picture.grad.eq(0.5).all()
    assert logits.grad is None
