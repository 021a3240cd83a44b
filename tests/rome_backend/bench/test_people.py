# SPDX-License-Identifier: Apache-2.0
"""Tests of the synthetic people: same seed same photo, and what is asked for is in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.avatar.heads import load_head
from rome_backend.bench.people import SIDE, draw_person, draw_shot, photograph
from rome_backend.core.types import U8, HeadModel, OffsetBasis

ALBEDO: U8 = np.full((64, 64, 3), 160, np.uint8)


@pytest.fixture(scope="module")
def model() -> tuple[HeadModel, OffsetBasis]:
    return load_head()


def photo(model: tuple[HeadModel, OffsetBasis], seed: int, yaw: float, lively: bool) -> U8:
    random = np.random.default_rng(seed)
    person = draw_person(*model, random)
    return photograph(model[0], person, ALBEDO, draw_shot(model[0], yaw, lively, random), random)


def test_the_same_seed_gives_the_same_photo(model: tuple[HeadModel, OffsetBasis]) -> None:
    first, again, other = (
        photo(model, 1, 20, True),
        photo(model, 1, 20, True),
        photo(model, 2, 20, True),
    )
    assert first.shape == (SIDE, SIDE, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.1


def test_people_are_no_monsters_and_keep_their_shoulders(
    model: tuple[HeadModel, OffsetBasis],
) -> None:
    head, basis = model
    random = np.random.default_rng(5)
    for person in (draw_person(head, basis, random) for _ in range(20)):
        size = len(person.shape)
        assert 0.5 * np.sqrt(size) < np.linalg.norm(person.shape) < 1.2 * np.sqrt(size)
        neck = head.regions["neck"]
        np.testing.assert_allclose(person.offsets[neck], basis.mean[neck], atol=2e-3)
        assert ((person.tint >= 0.4) & (person.tint <= 1.2)).all()


def test_shots_turn_as_asked_and_smile_only_when_lively(
    model: tuple[HeadModel, OffsetBasis],
) -> None:
    random = np.random.default_rng(6)
    calm = draw_shot(model[0], -35, False, random)
    lively = draw_shot(model[0], 35, True, random)
    assert -38 < calm.yaw < -32 < 32 < lively.yaw < 38
    assert not calm.expression.any() and calm.jaw == 0
    assert 0.2 <= lively.expression.max() <= 0.7 and 0 < lively.jaw < 0.2


def test_the_head_stands_in_the_middle_before_its_backdrop(
    model: tuple[HeadModel, OffsetBasis],
) -> None:
    random = np.random.default_rng(7)
    person = draw_person(*model, random)
    shot = draw_shot(model[0], 0, False, random)
    rgb = photograph(model[0], person, ALBEDO, shot, random)
    backdrop = (rgb == shot.backdrop).all(axis=2)
    rows, columns = np.nonzero(~backdrop)
    assert backdrop[:8].all() and 0.1 < (~backdrop).mean() < 0.6
    assert 0.35 * SIDE < columns.mean() < 0.65 * SIDE and np.ptp(rows) > 0.4 * SIDE
