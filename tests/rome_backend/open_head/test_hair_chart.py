# SPDX-License-Identifier: Apache-2.0
"""Tests of the chart that hair is a height over.

Does not know heads.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.hair_chart import (
    AZIMUTHS,
    ROWS,
    HairChart,
    azimuth_of,
    grid_azimuths,
    grid_points,
    grid_ways,
    hull,
    sample,
    smooth,
)

CHART = HairChart(np.array([0.0, 0.02, -0.08]), 0.08)


def cloud(count: int = 400) -> np.ndarray:
    """Points all round the chart's centre, some above and some below its equator."""
    random = np.random.default_rng(3)
    return CHART.centre + random.normal(size=(count, 3)) * [0.1, 0.12, 0.1]


def test_points_return_from_the_chart() -> None:
    points = cloud()
    np.testing.assert_allclose(CHART.solid(*CHART.flat(points)), points, atol=1e-12)


def test_left_front_and_down_lie_where_the_chart_says() -> None:
    points = CHART.centre + np.array([[0.1, 0, 0], [0, 0, 0.1], [0, 0.2, 0], [0, -0.05, -0.1]])
    flat, reach = CHART.flat(points)
    np.testing.assert_allclose(flat[0], [CHART.equator, 0], atol=1e-12)
    np.testing.assert_allclose(flat[1], [0, CHART.equator], atol=1e-12)
    np.testing.assert_allclose(flat[2], 0, atol=1e-12)
    np.testing.assert_allclose(flat[3], [0, -CHART.equator - 0.05], atol=1e-12)
    np.testing.assert_allclose(reach, [0.1, 0.1, 0.2, 0.1])
    assert azimuth_of(flat[0]) == pytest.approx(np.pi / 2)


def test_the_chart_is_smooth_at_its_equator() -> None:
    way = CHART.equator + np.array([-1e-4, 0.0, 1e-4])
    points = CHART.solid(np.column_stack([way, 0 * way]), np.full(3, 0.09))
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(steps[0] / 0.09 * CHART.radius, steps[1], atol=3e-7)


def test_larger_reach_is_further_out_and_never_crosses() -> None:
    flat, reach = CHART.flat(cloud())
    inner, outer = CHART.solid(flat, reach), CHART.solid(flat, reach + 0.01)
    np.testing.assert_allclose(np.linalg.norm(outer - inner, axis=1), 0.01)


def test_sampling_a_grid_repeats_its_own_values_and_wraps() -> None:
    grid = np.random.default_rng(0).random((AZIMUTHS, ROWS))
    np.testing.assert_allclose(sample(grid, grid_points()), grid, atol=1e-9)
    around = np.radians([179.999, -179.999])
    points = 0.2 * np.column_stack([np.sin(around), np.cos(around)])
    values = sample(grid, points)
    assert values[0] == pytest.approx(values[1], abs=1e-3)
    assert grid_azimuths()[0] == pytest.approx(-grid_azimuths()[-1])
    assert (np.diff(grid_ways()) > 0).all()


def test_smoothing_keeps_what_is_even_round_the_back() -> None:
    grid = np.ones((AZIMUTHS, ROWS))
    np.testing.assert_allclose(smooth(grid, 3.0, 2.0), 1)
    grid[0] = 2.0
    assert smooth(grid, 2.0, 0.5)[-1].min() > 1.1


def test_the_hull_of_a_cylinder_is_its_radius_and_takes_only_its_part() -> None:
    around = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rings = [(0.07, y) for y in np.linspace(0.01, -0.2, 30)] + [(0.12, -0.1), (0.12, -0.12)]
    points = np.concatenate(
        [
            np.column_stack([r * np.sin(around), 0 * around + y, r * np.cos(around)])
            for r, y in rings
        ]
    )
    points = points + CHART.centre
    index = np.arange(60)
    faces = [
        np.stack([60 * k + index, 60 * k + (index + 1) % 60, 60 * (k + 1) + index], axis=1)
        for k in (*range(29), 30)
    ]
    part = np.arange(len(points)) < 1800
    ways = (grid_ways() > CHART.equator + 0.01) & (grid_ways() < CHART.equator + 0.18)
    inner = hull(CHART, points, np.concatenate(faces), part)[:, ways]
    assert inner == pytest.approx(0.07, abs=0.001)
    both = hull(CHART, points, np.concatenate(faces), part | True)
    ring = np.abs(grid_ways() - CHART.equator - 0.11) < 0.006
    assert both[:, ring].max() > 0.11
