# SPDX-License-Identifier: Apache-2.0
"""Tests of posing an avatar: identity stays, expression and pose come from outside.

Knows no real head: it uses the small one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.avatar.animate import avatar_vertices, expression_params, frame_vertices
from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.skinning import posed_vertices, shape_vertices
from rome_backend.core.types import Avatar, DrivingFrame, FlameParams, HeadModel


def test_neutral_is_shape_plus_offsets(small_avatar: Avatar, small_head: HeadModel) -> None:
    expected = shape_vertices(small_head, small_avatar.params.shape) + small_avatar.offsets
    np.testing.assert_allclose(avatar_vertices(small_avatar, small_head), expected, atol=1e-12)


def test_the_driver_s_shape_is_ignored(small_avatar: Avatar, small_head: HeadModel) -> None:
    driver = FlameParams(np.full(6, 3.0), np.full(5, 0.3), neck=np.array([0.1, 0.2, 0.0]))
    own = replace(driver, shape=small_avatar.params.shape)
    np.testing.assert_array_equal(
        avatar_vertices(small_avatar, small_head, driver),
        posed_vertices(small_head, own, small_avatar.offsets),
    )


def test_a_driving_frame_moves_the_head_in_the_world(
    small_avatar: Avatar, small_head: HeadModel
) -> None:
    world = np.eye(4)
    world[:3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    world[:3, 3] = [1, 2, 3]
    frame = DrivingFrame(
        np.full(5, 0.2), np.zeros(3), np.array([0.2, 0, 0]), np.zeros((2, 3)), world
    )
    moved = frame_vertices(small_avatar, small_head, frame)
    params = FlameParams(np.zeros(6), frame.expression, jaw=frame.jaw)
    still = avatar_vertices(small_avatar, small_head, params)
    expected = np.stack([still[:, 2], still[:, 1], -still[:, 0]], -1) + [1, 2, 3]
    np.testing.assert_allclose(moved, expected, atol=1e-12)


def test_expressions_by_name(small_avatar: Avatar, small_head: HeadModel) -> None:
    params = expression_params(small_avatar, small_head, {"mouthSmileLeft": 0.5}, jaw_deg=90.0)
    index = small_head.expression_names.index("mouthSmileLeft")
    assert params.expression[index] == 0.5 and np.count_nonzero(params.expression) == 1
    assert params.jaw[0] == pytest.approx(np.pi / 2)
    assert not params.eyes.any() and not params.translation.any()


def test_unknown_expressions_are_named(small_avatar: Avatar, small_head: HeadModel) -> None:
    with pytest.raises(UsageError) as caught:
        expression_params(small_avatar, small_head, {"earWiggle": 1.0})
    assert "earWiggle" in caught.value.message and "jawOpen" in caught.value.hint


def test_another_head_model_is_refused(small_avatar: Avatar, small_head: HeadModel) -> None:
    with pytest.raises(FileInvalid):
        avatar_vertices(small_avatar, replace(small_head, topology_id="other"))
