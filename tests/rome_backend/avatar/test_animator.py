# SPDX-License-Identifier: Apache-2.0
"""The quick way of posing an avatar beside the plain one, on the small head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.animator import Animator
from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import Avatar, FlameParams, HeadModel


@pytest.fixture
def params() -> list[FlameParams | None]:
    random = np.random.default_rng(3)
    posed = FlameParams(
        random.normal(size=6),
        random.uniform(0, 1, 5),
        rotation=np.array([0.1, -0.4, 0.2]),
        neck=np.array([0.0, 0.3, 0.1]),
        jaw=np.array([0.25, 0.0, 0.0]),
        eyes=np.array([[0.1, 0.2, 0.0], [0.1, -0.2, 0.0]]),
        translation=np.array([0.01, -0.02, 0.03]),
    )
    return [posed, None, replace(posed, expression=posed.expression[:2], jaw=np.zeros(3))]


def test_a_batch_is_what_each_frame_is_by_itself(
    small_avatar: Avatar, small_head: HeadModel, params: list[FlameParams | None]
) -> None:
    found = Animator(small_avatar, small_head).vertices(params)
    assert found.shape == (3, 94, 3) and found.dtype == torch.float32
    for each, own in zip(params, found, strict=True):
        expected = avatar_vertices(small_avatar, small_head, each)
        np.testing.assert_allclose(own.numpy(), expected, atol=2e-7)


def test_the_avatar_is_read_once(
    small_avatar: Avatar, small_head: HeadModel, params: list[FlameParams | None]
) -> None:
    animator = Animator(small_avatar, small_head)
    first = animator.vertices(params)
    assert torch.equal(animator.vertices(params[::-1]), first.flip(0))


def test_another_head_model_is_refused(small_avatar: Avatar, small_head: HeadModel) -> None:
    with pytest.raises(FileInvalid):
        Animator(small_avatar, replace(small_head, topology_id="another"))
