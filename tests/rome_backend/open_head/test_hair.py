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
    drawn_curtains,
    hair_offsets,
    held_back,
    low_part,
    smooth_step,
)
from rome_backend.open_head.hair_chart import azimuth_of, sample
from rome_backend.open_head.scalp import Scalp, build_scalp


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def style(**values: float) -> HairParameters:
    """One style: all parameters zero but those given."""
    nothing = {field.name: np.zeros(1) for field in fields(HairParameters)}
    nothing |= {"waves": np.zeros((1, WAVES, 3)), "phases": np.zeros((1, WAVES))}
    return HairParameters(**nothing | {name: np.array([value]) for name, value in values.items()})


def size(scalp: Scalp, **values: float) -> np.ndarray:
    """Length (H,) m of one style's displacements."""
    return np.linalg.norm(hair_offsets(scalp, style(**values))[0], axis=1)


def test_bald_is_bald(scalp: Scalp) -> None:
    assert np.abs(hair_offsets(scalp, style())).max() < 1e-12


def test_afro_reaches_seven_centimetres_all_round(scalp: Scalp) -> None:
    offsets = hair_offsets(scalp, style(base=0.07))[0]
    _, reach = scalp.chart.flat(scalp.rest + offsets)
    outward = reach - scalp.reach
    inner = scalp.inner > 0.05
    assert inner.sum() > 100
    assert outward[inner].min() > 0.03 and np.median(outward[inner]) > 0.055
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
    scalp: Scalp, name: str, amount: float, where: tuple[float, float, float]
) -> None:
    length = size(scalp, **{name: amount})
    radial = scalp.rest - scalp.chart.centre
    thickest = radial[length > 0.8 * length.max()].mean(axis=0)
    if name == "side":
        side = np.sign(where[0]) * radial[:, 0] > 0
        thickest = radial[side & (length > 0.8 * length.max())].mean(axis=0)
    assert np.dot(thickest / np.linalg.norm(thickest), where) > 0.7
    assert length.max() <= amount * 1.01


def test_taper_receding_and_parting_take_away(scalp: Scalp) -> None:
    full = size(scalp, base=0.02)
    tapered = size(scalp, base=0.02, taper=1.0)
    assert tapered[np.argmax(low_part(scalp))] < 1e-6
    assert np.abs(full - tapered)[scalp.rest[:, 1] > scalp.chart.centre[1] + 0.05].max() < 1e-9
    receded = size(scalp, base=0.02, recede=1.0)
    front = scalp.rest[:, 2] > scalp.chart.centre[2] + 0.7 * scalp.chart.radius
    assert receded[front].max() < 0.25 * full[front].max()
    parted = size(scalp, base=0.02, parting_depth=0.01)
    middle = (np.abs(scalp.rest[:, 0]) < 0.008) & (scalp.rest[:, 1] > 0.09)
    assert np.mean(full[middle] - parted[middle]) > 0.003


def test_bun_is_a_bump_at_its_place(scalp: Scalp) -> None:
    back = size(scalp, base=0.003, bun=0.04, bun_place=np.pi / 2)
    above = size(scalp, base=0.003, bun=0.04, bun_place=0.0)
    assert back.max() > 0.03 and above.max() > 0.03
    assert scalp.rest[np.argmax(back), 2] < scalp.chart.centre[2] - 0.8 * scalp.chart.radius
    assert scalp.rest[np.argmax(above), 1] > scalp.chart.centre[1] + 0.8 * scalp.chart.radius


def test_long_hair_hangs_six_centimetres_below_the_nape_and_off_the_neck(scalp: Scalp) -> None:
    long = style(base=0.01, drape=0.06, curtain=1.0, front=1.4)
    hair = scalp.rest + hair_offsets(scalp, long)[0]
    nape = scalp.edge[np.abs(scalp.place) > 0.85]
    lowest = scalp.rest[scalp.edge[np.argmax(np.abs(scalp.place))], 1]
    np.testing.assert_allclose(hair[nape, 1], lowest - 0.06, atol=0.006)
    flat, after = scalp.chart.flat(hair)
    behind = (np.abs(azimuth_of(flat)) > 2.2) & (hair[:, 1] < lowest)
    above = behind & (hair[:, 1] > lowest - 0.03)
    assert above.sum() > 20
    assert (after - sample(scalp.bare, flat))[above].min() > 0.01
    above = np.linalg.norm(scalp.flat, axis=1) < 0.03
    assert np.linalg.norm((hair - scalp.rest)[above], axis=1).max() < 0.03


def test_a_front_edge_further_back_leaves_the_ears_free(scalp: Scalp) -> None:
    covered, free = (
        scalp.rest + hair_offsets(scalp, style(base=0.01, drape=0.06, curtain=1.0, front=a))[0]
        for a in (1.1, 1.9)
    )
    own = np.isin(np.arange(len(scalp.rest)), scalp.faces)
    beside = [
        own & (np.abs(hair[:, 0]) > 0.05) & (hair[:, 1] < scalp.chart.centre[1] - 0.05)
        for hair in (covered, free)
    ]
    fronts = [
        np.abs(azimuth_of(scalp.chart.flat(hair[rows])[0])).min()
        for hair, rows in zip((covered, free), beside, strict=True)
    ]
    assert fronts[0] + 0.6 < fronts[1]


def test_drawn_curtains_end_where_the_body_does(scalp: Scalp) -> None:
    for length in (0.02, 0.5):
        for curtain in drawn_curtains(scalp, scalp.bare + 0.02, length, 1.3):
            assert curtain.hem.max() <= scalp.bottom - 0.014
            assert curtain.hem.min() > scalp.chart.equator


def test_hair_starts_low_at_the_hairline(scalp: Scalp) -> None:
    offsets = hair_offsets(scalp, draw_hair(np.random.default_rng(2), 100))
    length = np.linalg.norm(offsets, axis=2)
    short = length[draw_hair(np.random.default_rng(2), 100).drape <= 0]
    assert short[:, scalp.inner < 0.008].max() < 0.012
    assert length.max() < 0.35


def test_volumes_do_not_enter_the_skull(scalp: Scalp) -> None:
    offsets = hair_offsets(scalp, draw_hair(np.random.default_rng(3), 60))
    for volume in offsets:
        _, reach = scalp.chart.flat(scalp.rest + volume)
        flat, _ = scalp.chart.flat(scalp.rest + volume)
        # lower down hems go into neck and shoulders
        skull = np.linalg.norm(flat, axis=1) < scalp.chart.equator
        inner = (scalp.inner > 0.01) & skull
        assert (reach - sample(scalp.bare, flat))[inner].min() > -0.008


def test_mirrored_styles_are_mirror_images(head: HeadModel, scalp: Scalp) -> None:
    image = head.template[scalp.vertices] * np.array([-1, 1, 1], np.float32)
    gap = np.linalg.norm(image[:, None] - head.template[scalp.vertices][None], axis=2)
    partner = gap.argmin(axis=1)
    styles = draw_hair(np.random.default_rng(4), 12)
    first, second = hair_offsets(scalp, styles), hair_offsets(scalp, styles.mirrored())
    gaps = np.linalg.norm(second - first[:, partner] * [-1, 1, 1], axis=2)
    assert gaps[styles.drape <= 0].max() < 1e-5
    assert np.quantile(gaps, 0.95) < 0.005
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


def test_curls_change_hair_but_not_bald_skin(scalp: Scalp) -> None:
    waves = np.random.default_rng(0).normal(size=(1, WAVES, 3)) * 3
    curly = replace(style(curl=0.005, base=0.02), waves=waves)
    smooth = hair_offsets(scalp, style(base=0.02))
    assert 0.001 < np.abs(hair_offsets(scalp, curly) - smooth).max() < 0.02
    assert np.abs(hair_offsets(scalp, replace(curly, base=np.zeros(1)))).max() < 1e-12


def test_low_part_rises_to_the_nape(scalp: Scalp) -> None:
    low = low_part(scalp)
    assert low[np.argmax(np.linalg.norm(scalp.flat, axis=1))] == 1
    assert low[np.argmax(scalp.rest[:, 1])] == 0
    assert low.min() >= 0 and low.max() <= 1


def test_helpers() -> None:
    np.testing.assert_allclose(smooth_step(0, 2, np.array([-1.0, 0, 1, 2, 3])), [0, 0, 0.5, 1, 1])
    held = held_back(np.array([[0.05, 0.05, 0.05]]), np.array([0.0, 0.01, 1.0]))
    assert held[0, 0] == 0 and held[0, 1] < 0.0101 and held[0, 2] == pytest.approx(0.05)
