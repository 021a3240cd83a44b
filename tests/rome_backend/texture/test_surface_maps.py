# SPDX-License-Identifier: Apache-2.0
"""Tests of estimated normals and roughness: signs, sizes, what stays flat, and memory's bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture import surface_maps as module
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.surface_maps import SurfaceMaps, surface_maps

SIZE = 256
SKIN = np.array([190.0, 150, 130])
FLAT = (128, 128, 255)
CHEEK = (145, 130)  # a texel on the face
SPOT = (145.5, 130.5)  # its middle


def _spotted(at: tuple[float, float], gain: float, size: int = SIZE, radius: float = 1.5):
    """Skin with one spot at texture px (x, y), ``gain`` times as bright; radius of 256ths."""
    rows, columns = np.mgrid[:size, :size] + 0.5
    away = np.hypot(columns - at[0] * size / SIZE, rows - at[1] * size / SIZE) * SIZE / size
    spot = np.exp(-((away / radius) ** 2))[..., None]
    return np.clip(SKIN * (1 + (gain - 1) * spot), 0, 255).astype(np.uint8)


def _around(maps: SurfaceMaps, x: int, y: int) -> tuple[np.ndarray, ...]:
    """Normals (3,) in -1..1 right of, left of, above and below a texel."""
    near = [(x + 1, y), (x - 1, y), (x, y - 1), (x, y + 1)]
    return tuple(maps.normal[row, column] / 127.5 - 1 for column, row in near)


@pytest.mark.parametrize(("gain", "sign"), [(1.2, 1.0), (0.8, -1.0)])
def test_a_bright_spot_is_a_bump_and_a_dark_one_a_hollow(
    egg: HeadModel, gain: float, sign: float
) -> None:
    """OpenGL's convention: red grows to the right of a bump, green above it."""
    maps = surface_maps(egg, egg.template, _spotted(SPOT, gain))
    right, left, above, below = (sign * each for each in _around(maps, *CHEEK))
    assert right[0] > 0.015 and left[0] < -0.015 and above[1] > 0.015 and below[1] < -0.015
    assert max(abs(right[1]), abs(above[0])) < 0.5 * min(right[0], above[1])


def test_the_slope_is_the_one_of_the_surface(egg: HeadModel) -> None:
    """Half as large a head, twice as steep: heights stay, lengths halve."""
    albedo = _spotted(SPOT, 1.3)
    whole = _around(surface_maps(egg, egg.template, albedo), *CHEEK)[0]
    half = _around(surface_maps(egg, 0.5 * egg.template, albedo), *CHEEK)[0]
    assert 1.6 < half[0] / whole[0] < 3.2  # less is removed as light there


def test_even_skin_is_flat_and_so_is_slow_light(egg: HeadModel) -> None:
    even = np.broadcast_to(SKIN.astype(np.uint8), (SIZE, SIZE, 3)).copy()
    maps = surface_maps(egg, egg.template, even)
    assert (np.abs(maps.normal.astype(int) - FLAT) <= 1).all()
    slow = (even * np.linspace(0.6, 1, SIZE)[None, :, None]).astype(np.uint8)
    lit = surface_maps(egg, egg.template, slow)
    inner = atlas_of(egg, SIZE).covered
    inner[:, :20] = inner[:, -20:] = False
    tilt = np.abs(lit.normal[inner].astype(int) - FLAT)[:, :2]
    assert np.quantile(tilt, 0.99) <= 4


def test_normals_are_of_unit_length_and_never_steep(egg: HeadModel) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    maps = surface_maps(egg, egg.template, noise)
    vector = maps.normal / 127.5 - 1
    assert np.abs(np.linalg.norm(vector, axis=2) - 1).max() < 0.02
    slope = np.hypot(vector[..., 0], vector[..., 1]) / vector[..., 2]
    assert 0.25 < slope.max() < 0.52
    assert maps.roughness.min() >= 12 and np.ptp(maps.roughness) > 20


def test_bright_spots_are_smoother(egg: HeadModel) -> None:
    maps = surface_maps(egg, egg.template, _spotted(SPOT, 1.4))
    assert int(maps.roughness[130, 145]) < int(maps.roughness[130, 155]) - 5


def test_eyeballs_are_flat_and_wet(egg: HeadModel) -> None:
    x, y, z = egg.template.T
    ball = (np.abs(x) < 0.03) & (np.abs(y) < 0.03) & (z > 0)
    head = replace(egg, regions={**egg.regions, "left_eyeball": ball}, topology_id="egg-with-eye")
    noise = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    maps = surface_maps(head, head.template, noise)
    inside = atlas_of(head, SIZE).image(atlas_of(head, SIZE).spread(ball.astype(np.float32))) > 0.99
    assert inside.sum() > 50
    assert (maps.normal[inside] == FLAT).all() and (maps.roughness[inside] == 31).all()


def test_working_smaller_and_in_bands_changes_little(
    egg: HeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    albedo = _spotted((100, 120), 1.2, 2 * SIZE)
    whole = surface_maps(egg, egg.template, albedo)
    monkeypatch.setattr(module, "_SIDE", SIZE)
    monkeypatch.setattr(module, "_BAND", 61)
    banded = surface_maps(egg, egg.template, albedo)
    inner = np.repeat(np.repeat(atlas_of(egg, SIZE).covered, 2, 0), 2, 1)
    for one, other in ((whole.normal, banded.normal), (whole.roughness, banded.roughness)):
        assert one.shape == other.shape and other.dtype == np.uint8
        gap = np.abs(one[inner].astype(int) - other[inner])
        assert gap.mean() < 0.6 and np.quantile(gap, 0.999) <= 8


def test_the_work_can_be_stopped(egg: HeadModel) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        surface_maps(egg, egg.template, _spotted((9, 9), 1.1, 64), stop)
