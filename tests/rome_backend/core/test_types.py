# SPDX-License-Identifier: Apache-2.0
"""Tests of core/types.py: the few types that compute something.

Does not test what a dataclass does by itself.
"""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from rome_backend.core.types import JOINTS, Camera, FlameParams


def test_pose_is_in_the_order_of_the_joints() -> None:
    numbers = np.arange(15.0).reshape(5, 3)
    params = FlameParams(
        np.zeros(1), np.zeros(1), numbers[0], numbers[1], numbers[2], eyes=numbers[3:]
    )
    assert np.array_equal(params.pose(), numbers)
    assert JOINTS == ("root", "neck", "jaw", "left_eye", "right_eye")


def test_neutral_keeps_the_identity_alone() -> None:
    params = FlameParams(np.ones(4), np.ones(3), np.ones(3), jaw=np.ones(3), translation=np.ones(3))
    neutral = params.neutral()
    assert np.array_equal(neutral.shape, np.ones(4))
    assert np.array_equal(neutral.expression, np.zeros(3))
    assert not neutral.pose().any() and not neutral.translation.any()
    assert params.jaw.any(), "the original stays as it was"


def test_defaults_are_not_shared() -> None:
    one, other = FlameParams(np.zeros(1), np.zeros(1)), FlameParams(np.zeros(1), np.zeros(1))
    one.jaw[0] = 1
    assert other.jaw[0] == 0


def test_types_are_frozen() -> None:
    camera = Camera(np.eye(4), 4, 4)
    with pytest.raises(FrozenInstanceError):
        camera.width = 5  # type: ignore[misc]
