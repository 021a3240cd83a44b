# SPDX-License-Identifier: Apache-2.0
"""Flat coordinates of the space round a head, in which hair is a height over a disc.

Does not know hair, photos or any topology.

Source: our own. Round the crown's half the chart is a sphere's, below its equator a cylinder's; so
hair that falls past the ears to the shoulders is still one height per point: it cannot fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    map_coordinates,
    maximum_filter,
)

from rome_backend.core.types import F64, Mask

AZIMUTHS = 144
ROW_M = 0.004
ROWS = 110
_SPLIT = 5


@dataclass(frozen=True)
class HairChart:
    """The chart's place: centre (3,) m of the sphere, on its cylinder's upright axis; radius m.

    A chart point (u, v) m lies at the length q of the way from the pole downwards, in the
    azimuth whose sine and cosine are u / q and v / q: +u the subject's left, +v to the front.
    """

    centre: F64
    radius: float

    @property
    def equator(self) -> float:
        """Return the way in m from the pole to where the cylinder begins."""
        return self.radius * np.pi / 2

    def flat(self, points: F64) -> tuple[F64, F64]:
        """Return chart points (N, 2) m and reaches (N,) m from centre or axis of points (N, 3)."""
        x, y, z = (points - self.centre).T
        level = np.hypot(x, z)
        above = y > 0
        reach = np.where(above, np.hypot(level, y), level)
        angle = np.arctan2(level, np.maximum(y, 0.0))
        way = np.where(above, self.radius * angle, self.equator - y)
        unit = np.maximum(level, 1e-9)
        return np.column_stack([way * x / unit, way * z / unit]), reach

    def solid(self, flat: F64, reach: F64) -> F64:
        """Return the points (..., 3) m at chart points (..., 2) with reaches (...)."""
        way = np.linalg.norm(flat, axis=-1)
        azimuth = flat / np.maximum(way, 1e-9)[..., None]
        angle = np.minimum(way / self.radius, np.pi / 2)
        level = reach * np.sin(angle)
        height = reach * np.cos(angle) - np.maximum(way - self.equator, 0.0)
        x, z = level * azimuth[..., 0], level * azimuth[..., 1]
        return np.stack([x, height, z], axis=-1) + self.centre


def azimuth_of(flat: F64) -> F64:
    """Return the azimuth (...) rad of chart points (..., 2): 0 in front, positive to the left."""
    return np.arctan2(flat[..., 0], flat[..., 1])


def grid_azimuths() -> F64:
    """Return the azimuths (AZIMUTHS,) rad of a grid's columns."""
    azimuths: F64 = np.linspace(-np.pi, np.pi, 2 * AZIMUTHS + 1)[1::2]
    return azimuths


def grid_ways() -> F64:
    """Return the ways (ROWS,) m of a grid's rows."""
    ways: F64 = (np.arange(ROWS, dtype=np.float64) + 0.5) * ROW_M
    return ways


def grid_points() -> F64:
    """Return the chart points (AZIMUTHS, ROWS, 2) m of a grid."""
    azimuth, way = grid_azimuths()[:, None], grid_ways()[None]
    return np.stack([way * np.sin(azimuth), way * np.cos(azimuth)], axis=-1)


def sample(grid: F64, flat: F64) -> F64:
    """Return values (...) of a grid (AZIMUTHS, ROWS) at chart points (..., 2), bilinear."""
    column = (azimuth_of(flat) + np.pi) * AZIMUTHS / (2 * np.pi) - 0.5
    row = np.linalg.norm(flat, axis=-1) / ROW_M - 0.5
    wrapped = np.concatenate([grid[-1:], grid, grid[:1]])
    values: F64 = map_coordinates(wrapped, [column + 1, row], order=1, mode="nearest")
    return values


def smooth(grid: F64, azimuths: float, rows: float) -> F64:
    """Return a grid (AZIMUTHS, ROWS) blurred by standard deviations in columns and rows."""
    return gaussian_filter(grid, (azimuths, rows), mode=("wrap", "nearest"))


def hull(
    chart: HairChart,
    vertices: F64,
    faces: NDArray[np.integer],
    part: Mask,
    wide: bool = False,
) -> F64:
    """Return the outermost reach (AZIMUTHS, ROWS) m of the faces whose vertices (V,) are part.

    vertices (V, 3) m, faces (F, 3). Cells without any take the nearest one's; a little smoothed.
    wide: a cell takes its neighbours' largest reach, so that nothing sticks out.
    """
    chosen = faces[part[faces].all(axis=1)]
    k = (np.arange(_SPLIT) + 1 / 3) / _SPLIT
    a, b = np.meshgrid(k, k)
    inside = a + b < 1
    weights = np.stack([a[inside], b[inside], 1 - a[inside] - b[inside]], axis=1)
    points = np.einsum("wk,fkx->fwx", weights, vertices[chosen]).reshape(-1, 3)
    flat, reach = chart.flat(points)
    column = ((azimuth_of(flat) + np.pi) * AZIMUTHS / (2 * np.pi)).astype(int) % AZIMUTHS
    row = (np.linalg.norm(flat, axis=1) / ROW_M).astype(int)
    kept = row < ROWS
    grid = np.zeros((AZIMUTHS, ROWS))
    np.maximum.at(grid, (column[kept], row[kept]), reach[kept])
    grid = _filled(grid)
    if wide:
        grid = maximum_filter(grid, (3, 3), mode=("wrap", "nearest"))
    return smooth(grid, 0.6, 0.6)


def _filled(grid: F64) -> F64:
    """Return a grid whose empty cells (0) hold the nearest filled cell's value, columns wrap."""
    if not grid.any():
        return grid
    tiled = np.concatenate([grid, grid, grid])
    nearest = distance_transform_edt(tiled == 0, return_distances=False, return_indices=True)
    return tiled[tuple(nearest)][AZIMUTHS : 2 * AZIMUTHS]
