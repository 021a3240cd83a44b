# SPDX-License-Identifier: Apache-2.0
"""Tests of the procedural hair volumes on the open head.

Does not know components.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.open_head.hair import (
    WAVES,
    HairParameters,
    draw_hair,
    hair_offsets,
    held_back,
    low_part,
    smooth_step,
)
from rome_backend.open_head.offset_region import OffsetRegion, offset_regions


@pytest.fixture(scope="module")
def region(head: HeadModel) -> OffsetRegion:
    return offset_regions(head)[0]


def style(**values: float) -> HairParameters:
    """One style: all parameters zero but those given."""
    nothing = {field.name: np.zeros(1) for field in fields(HairParameters)}
    nothing |= {"waves": np.zeros((1, WAVES, 3)), "phases": np.zeros((1, WAVES))}
    return HairParameters(**nothing | {name: np.array([value]) for name, value in values.items()})


def size(region: OffsetRegion, **values: float) -> np.ndarray:
    """Length (H,) m of one style's displacements."""
    return np.linalg.norm(hair_offsets(region, style(**values))[0], axis=1)


def test_bald_is_bald(region: OffsetRegion) -> None:
    assert not hair_offsets(region, style()).any()


def test_afro_reaches_seven_centimetres_all_round(region: OffsetRegion) -> None:
    offsets = hair_offsets(region, style(base=0.07))[0]
    outward = np.sum(offsets * region.outward, axis=1)
    inner = region.border > 0.05
    assert inner.sum() > 100
    assert outward[inner].min() > 0.045 and np.median(outward[inner]) > 0.065
    assert outward.max() < 0.0701


@pytest.mark.parametrize(
    ("name", "amount", "where"),
    [
        ("top", 0.03, (0, 1, 0)),
        ("side", 0.03, (1, 0, 0)),
        ("side", 0.03, (-1, 0, 0)),
        ("back", 0.03, (0, 0, -1)),
        ("fringe", 0.03, (0, 0.7, 0.7)),
    ],
)
def test_thickness_is_where_its_name_says(
    region: OffsetRegion, name: str, amount: float, where: tuple[float, float, float]
) -> None:
    length = size(region, **{name: amount})
    radial = region.positions - region.centre
    thickest = radial[length > 0.8 * length.max()].mean(axis=0)
    if name == "side":
        side = np.sign(where[0]) * radial[:, 0] > 0
        thickest = radial[side & (length > 0.8 * length.max())].mean(axis=0)
    assert np.dot(thickest / np.linalg.norm(thickest), where) > 0.7
    assert length.max() <= amount * 1.01


def test_taper_receding_and_parting_take_away(region: OffsetRegion) -> None:
    full = size(region, base=0.02)
    tapered = size(region, base=0.02, taper=1.0)
    assert tapered[region.hem == 0].max() < 1e-6
    assert np.abs(full - tapered)[region.positions[:, 1] > region.centre[1] + 0.05].max() < 1e-9
    receded = size(region, base=0.02, recede=1.0)
    front = region.positions[:, 2] > region.centre[2] + 0.7 * region.radius
    assert receded[front].max() < 0.25 * full[front].max()
    parted = size(region, base=0.02, parting_depth=0.01)
    middle = (np.abs(region.positions[:, 0]) < 0.008) & (region.positions[:, 1] > 0.09)
    assert np.mean(full[middle] - parted[middle]) > 0.003


def test_bun_is_a_bump_at_its_place(region: OffsetRegion) -> None:
    back = size(region, base=0.003, bun=0.04, bun_place=np.pi / 2)
    above = size(region, base=0.003, bun=0.04, bun_place=0.0)
    assert back.max() > 0.03 and above.max() > 0.03
    assert region.positions[np.argmax(back), 2] < region.centre[2] - 0.8 * region.radius
    assert region.positions[np.argmax(above), 1] > region.centre[1] + 0.8 * region.radius


def test_long_hair_hangs_ten_centimetres_in_front_of_no_face(region: OffsetRegion) -> None:
    offsets = hair_offsets(region, style(base=0.01, drape=0.10, curtain=1.0, flare=0.01))[0]
    assert -0.16 < offsets[:, 1].min() < -0.08
    hem = region.hem == 0
    free = hem & (region.border > 0.05)
    moved = (region.positions + offsets)[free]
    level = np.polyfit(moved[:, 2], moved[:, 1], 1)
    assert np.std(moved[:, 1] - np.polyval(level, moved[:, 2])) < 0.008
    horizontal = np.sum((offsets * (region.positions - region.centre))[free][:, [0, 2]], axis=1)
    assert horizontal.min() > 0  # outwards, not into the neck
    assert np.abs(offsets[region.positions[:, 1] > region.centre[1] + 0.05, 1]).max() < 0.0101


def test_hair_starts_low_at_the_hairline(region: OffsetRegion) -> None:
    offsets = hair_offsets(region, draw_hair(np.random.default_rng(2), 100))
    length = np.linalg.norm(offsets, axis=2)
    first_row = region.border < 0.008
    assert length[:, first_row].max() < 0.045
    assert length.max() < 0.17


def test_volumes_do_not_enter_the_skull(region: OffsetRegion) -> None:
    offsets = hair_offsets(region, draw_hair(np.random.default_rng(3), 200))
    depth = np.einsum("nhc,hc->nh", offsets, region.outward)
    assert depth.min() > -0.003


def test_mirrored_styles_are_mirror_images(head: HeadModel, region: OffsetRegion) -> None:
    image = head.template[region.vertices] * np.array([-1, 1, 1], np.float32)
    gap = np.linalg.norm(image[:, None] - head.template[region.vertices][None], axis=2)
    partner = gap.argmin(axis=1)
    styles = draw_hair(np.random.default_rng(4), 12)
    first, second = hair_offsets(region, styles), hair_offsets(region, styles.mirrored())
    np.testing.assert_allclose(second, first[:, partner] * [-1, 1, 1], atol=2e-6)
    assert np.abs(first - second).max() > 1e-3


def test_drawn_styles_cover_bald_to_long() -> None:
    styles = draw_hair(np.random.default_rng(0), 400)
    bald = (styles.base == 0) & (styles.top == 0)
    assert 0.02 < bald.mean() < 0.15
    assert (styles.drape > 0.05).mean() > 0.08
    assert (styles.base > 0.05).mean() > 0.02
    assert (styles.bun > 0).mean() > 0.04
    for field in fields(styles):
        values = getattr(styles, field.name)
        assert len(values) == 400 and np.isfinite(values).all(), field.name


def test_drawing_is_deterministic() -> None:
    first, second = (draw_hair(np.random.default_rng(9), 20) for _ in range(2))
    for field in fields(first):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_curls_change_hair_but_not_bald_skin(region: OffsetRegion) -> None:
    waves = np.random.default_rng(0).normal(size=(1, WAVES, 3)) * 3
    curly = replace(style(curl=0.005, base=0.02), waves=waves)
    smooth = hair_offsets(region, style(base=0.02))
    assert 0.001 < np.abs(hair_offsets(region, curly) - smooth).max() < 0.02
    assert not hair_offsets(region, replace(curly, base=np.zeros(1))).any()


def test_low_part_rises_to_the_hem(region: OffsetRegion) -> None:
    low = low_part(region)
    np.testing.assert_allclose(low[region.hem == 0], 1)
    assert low[np.argmax(region.positions[:, 1])] == 0
    assert low.min() >= 0 and low.max() <= 1


def test_helpers() -> None:
    np.testing.assert_allclose(smooth_step(0, 2, np.array([-1.0, 0, 1, 2, 3])), [0, 0, 0.5, 1, 1])
    held = held_back(np.array([[0.05, 0.05, 0.05]]), np.array([0.0, 0.01, 1.0]))
    assert held[0, 0] == 0 and held[0, 1] < 0.0101 and held[0, 2] == pytest.approx(0.05)
