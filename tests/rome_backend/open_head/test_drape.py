# SPDX-License-Identifier: Apache-2.0
"""Tests of hair laid over the scalp: short hair grows, long hair falls in one surface.

Does not know photos or styles.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.core.camera import orbit, project
from rome_backend.core.types import HeadModel
from rome_backend.open_head.drape import lay_out, raise_hair, start_place
from rome_backend.open_head.hair import drawn_curtains
from rome_backend.open_head.hair_chart import AZIMUTHS, grid_ways, sample
from rome_backend.open_head.hair_rest import (
    Curtain,
    hanging_reach,
    lying_reach,
    slim_reach,
)
from rome_backend.open_head.scalp import Scalp, build_scalp
from rome_backend.render.rasterizer import TorchRasterizer

THICK = 0.015


@pytest.fixture(scope="module")
def scalp(head: HeadModel) -> Scalp:
    return build_scalp(head, head.template.astype(np.float64))


def curtains(scalp: Scalp, drop: float, front: float = 75.0) -> tuple[Curtain, ...]:
    """A curtain on each side that ends ``drop`` m below the chart's equator."""
    hem = np.full(AZIMUTHS, scalp.chart.equator + drop)
    angle = float(np.radians(front))
    return tuple(
        Curtain(side, start_place(scalp, side, angle - 0.2), angle, angle + 0.1, hem)
        for side in (1, -1)
    )


def grown(scalp: Scalp, drop: float, front: float = 75.0) -> np.ndarray:
    """Vertices (H, 3) of hair THICK m thick."""
    outer = hanging_reach(scalp, 0.3) + THICK
    layout = lay_out(scalp, curtains(scalp, drop, front) if drop else ())
    return scalp.rest + raise_hair(scalp, layout, np.full(len(scalp.rest), THICK), outer)


def test_without_curtains_the_mesh_stays_and_grows_outwards(scalp: Scalp) -> None:
    layout = lay_out(scalp, ())
    np.testing.assert_array_equal(layout.flat, scalp.flat)
    assert not layout.hanging.any()
    flat, reach = scalp.chart.flat(grown(scalp, 0.0))
    np.testing.assert_allclose(flat, scalp.flat, atol=1e-9)
    growth = reach - scalp.reach
    assert np.abs(growth[scalp.edge]).max() < 1e-9
    assert growth[scalp.inner > 0.05].min() > 0.9 * THICK and growth.max() <= THICK + 1e-9


@pytest.mark.parametrize("drop", [0.09, 0.14])
def test_hair_falls_to_its_hem_and_no_further(scalp: Scalp, drop: float) -> None:
    hair = grown(scalp, drop)
    bottom = scalp.chart.centre[1] - drop
    assert hair[:, 1].min() == pytest.approx(bottom, abs=0.004)
    hem = scalp.edge[np.abs(scalp.place) > 0.8]
    assert np.abs(hair[hem, 1] - bottom).max() < 0.005
    forehead = scalp.edge[np.abs(scalp.place) < 0.05]
    assert np.abs(hair[forehead] - scalp.rest[forehead]).max() < 0.002


@pytest.mark.parametrize("front", [60.0, 75.0, 90.0, 105.0])
@pytest.mark.parametrize("drop", [0.06, 0.13])
def test_nothing_of_long_hair_is_turned_over(scalp: Scalp, front: float, drop: float) -> None:
    layout = lay_out(scalp, curtains(scalp, drop, front))

    def area(flat: np.ndarray) -> np.ndarray:
        a, b = (flat[scalp.faces[:, k]] - flat[scalp.faces[:, 0]] for k in (1, 2))
        return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])

    assert (area(scalp.flat) * area(layout.flat) > 0).all()


@pytest.mark.parametrize("front", [62.0, 78.0, 90.0])
def test_no_back_of_a_face_shows_from_any_side(head: HeadModel, scalp: Scalp, front: float) -> None:
    backs = seen_backs(head, scalp, grown(scalp, 0.14, front))
    assert max(backs.values()) <= 0.0005, backs


@pytest.mark.parametrize("front", [64.0, 78.0])
@pytest.mark.parametrize("length", [0.03, 0.08, 0.15])
def test_no_lining_shows_where_hair_ends_on_shoulders_and_back(
    head: HeadModel, scalp: Scalp, front: float, length: float
) -> None:
    hair = laid_down(scalp, length, front)
    backs = seen_backs(head, scalp, hair)
    assert max(backs.values()) <= 0.0006, backs


def test_a_hem_on_the_back_is_one_clean_line_above_the_skin(scalp: Scalp) -> None:
    hair = laid_down(scalp, 0.12, 80.0)
    hem = scalp.edge[np.abs(scalp.place) > 0.85]
    flat, reach = scalp.chart.flat(hair[hem])
    above = reach - sample(scalp.body, flat)
    assert above.min() > -0.0005 and above.max() < 0.012
    assert np.ptp(np.linalg.norm(flat, axis=1)) < 0.006, "at one height"


def laid_down(scalp: Scalp, length: float, front: float) -> np.ndarray:
    """Vertices (H, 3) of hair THICK m thick that falls on the shoulders and lies on the back."""
    falling = hanging_reach(scalp, 0.3) + THICK
    both = drawn_curtains(scalp, falling, length, float(np.radians(front)))
    outer = lying_reach(scalp, falling, both)
    thickness = np.full(len(scalp.rest), THICK)
    return scalp.rest + raise_hair(scalp, lay_out(scalp, both), thickness, outer)


def seen_backs(head: HeadModel, scalp: Scalp, hair: np.ndarray) -> dict[int, float]:
    """Share of the head's picture, by yaw, that shows the back of a face of hair (H, 3) m."""
    vertices = head.template.astype(np.float64)
    vertices[scalp.vertices] = hair
    shares = {}
    own = head.regions["hair"][head.faces].any(axis=1)
    for yaw in (0, 45, -45, 90, -90, 180):
        camera = orbit(np.array([0, -0.03, -0.05]), 1.0, yaw, 0, 0.42, 300, 300)
        points = project(camera, vertices)
        points[:, :2] = 2 * points[:, :2] / 300 - 1
        a, b = (points[head.faces[:, k], :2] - points[head.faces[:, 0], :2] for k in (1, 2))
        behind = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0
        found = TorchRasterizer().rasterize(
            torch.from_numpy(points).float()[None], torch.from_numpy(head.faces).long(), 300, 300
        )
        seen = found.face_index[0].numpy()
        shares[yaw] = float(((seen >= 0) & (behind & own)[seen]).sum() / (seen >= 0).sum())
    return shares


def test_hanging_hair_stays_outside_the_body(scalp: Scalp) -> None:
    hair = grown(scalp, 0.12)
    layout = lay_out(scalp, curtains(scalp, 0.12))
    flat, reach = scalp.chart.flat(hair)
    free = (layout.hanging > 0.99) & (layout.away > 0.01)
    assert free.sum() > 50
    assert (reach - sample(scalp.body, flat))[free].min() > 0.0


def test_both_sides_are_mirror_images(head: HeadModel, scalp: Scalp) -> None:
    image = scalp.rest * [-1, 1, 1]
    gap = np.linalg.norm(image[:, None] - scalp.rest[None], axis=2)
    partner = gap.argmin(axis=1)
    assert gap.min(axis=1).max() < 1e-5
    hair = grown(scalp, 0.12)
    away = np.linalg.norm(hair[partner] * [-1, 1, 1] - hair, axis=1)
    assert np.quantile(away, 0.95) < 0.004


def test_a_front_edge_lies_where_the_curtain_says(scalp: Scalp) -> None:
    for front in (65.0, 90.0):
        hair = grown(scalp, 0.13, front)
        flat, _ = scalp.chart.flat(hair)
        low = np.linalg.norm(flat, axis=1) > scalp.chart.equator + 0.04
        first = np.degrees(np.abs(np.arctan2(flat[low, 0], flat[low, 1]))).min()
        assert first == pytest.approx(front, abs=7)


def test_start_place_moves_back_with_the_azimuth(scalp: Scalp) -> None:
    places = [start_place(scalp, 1, np.radians(a)) for a in (30, 60, 90, 120)]
    assert (np.diff(places) > 0).all()
    assert start_place(scalp, -1, 1.0) == pytest.approx(start_place(scalp, 1, 1.0), abs=0.03)


def test_the_slim_neck_goes_on_through_the_shoulders(scalp: Scalp) -> None:
    slim = slim_reach(scalp)
    low = grid_ways() > scalp.chart.equator + 0.07
    assert (np.diff(slim[:, low], axis=1) <= 1e-12).all()
    assert (slim <= scalp.bare + 1e-12).all()
