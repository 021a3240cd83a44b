# SPDX-License-Identifier: Apache-2.0
"""Tests of spreading an example over a surface, and of the way hair runs.

Knows no photo.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.errors import Cancelled
from rome_backend.texture.examples import plain_hair
from rome_backend.texture.flow import hair_flow
from rome_backend.texture.synthesis import synthesised

SIDE = 256
STEP = 5e-4  # m between texels


@pytest.fixture(scope="module")
def sheet() -> dict[str, np.ndarray]:
    """A flat square of 12.8 cm whose strands run along x."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    points = np.stack([columns * STEP, -rows * STEP, 0 * rows], -1).reshape(-1, 3)
    count = len(points)
    return {
        "points": points.astype(np.float32),
        "along": np.tile(np.array([1, 0, 0], np.float32), (count, 1)),
        "normals": np.tile(np.array([0, 0, 1], np.float32), (count, 1)),
        "texels": np.arange(count),
    }


def spread(sheet: dict[str, np.ndarray], seed: int = 0, **more: object) -> np.ndarray:
    out = synthesised(plain_hair(1), **sheet, size=SIDE, shape=(0.008, 0.02), seed=seed, **more)
    return out.reshape(SIDE, SIDE, 3)


def test_the_variance_is_the_examples(sheet: dict[str, np.ndarray]) -> None:
    made, example = spread(sheet), plain_hair(1).detail[..., :3]
    assert made.shape == (SIDE, SIDE, 3)
    assert abs(made.mean()) < 0.05
    assert made.std() == pytest.approx(example.std(), rel=0.25)


def test_strands_follow_the_flow(sheet: dict[str, np.ndarray]) -> None:
    grey = spread(sheet)[..., 0]
    along, across = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
    assert across > 2 * along
    turned = {**sheet, "along": np.roll(sheet["along"], 1, axis=1)}
    grey = spread(turned)[..., 0]
    along, across = np.abs(np.diff(grey, axis=0)).mean(), np.abs(np.diff(grey, axis=1)).mean()
    assert across > 2 * along


def test_there_are_no_jumps_between_pieces(sheet: dict[str, np.ndarray]) -> None:
    step = np.abs(np.diff(spread(sheet)[..., 0], axis=0))
    own = np.abs(np.diff(plain_hair(1).detail[..., 0], axis=1))
    assert step.max() < 1.5 * own.max()


def test_what_has_no_direction_is_turned_anyhow(sheet: dict[str, np.ndarray]) -> None:
    example = replace(plain_hair(1), oriented=False)
    made = synthesised(example, **sheet, size=SIDE, shape=(0.008, 0.008), seed=0)
    grey = made.reshape(SIDE, SIDE, 3)[..., 0]
    along, across = np.abs(np.diff(grey, axis=1)).mean(), np.abs(np.diff(grey, axis=0)).mean()
    assert across == pytest.approx(along, rel=0.25)


def test_the_seed_decides(sheet: dict[str, np.ndarray]) -> None:
    assert np.array_equal(spread(sheet, 4), spread(sheet, 4))
    assert np.abs(spread(sheet, 4) - spread(sheet, 5)).mean() > 0.01


def test_it_can_be_ended(sheet: dict[str, np.ndarray]) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        spread(sheet, check=stop)


def sphere(count: int = 2000) -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(count, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_hair_lies_on_the_surface_and_runs_down_from_the_crown() -> None:
    normals = sphere()
    flow = hair_flow(0.1 * normals, normals, np.zeros(3))
    np.testing.assert_allclose(np.linalg.norm(flow, axis=1), 1, atol=1e-3)
    assert np.abs((flow * normals).sum(1)).max() < 1e-3
    side = np.abs(normals[:, 1]) < 0.3
    assert flow[side, 1].max() < -0.5
    crown = np.array([0.08, np.cos(0.45), -np.sin(0.45)])
    near = (normals @ crown > 0.85) & (normals @ crown < 0.99)
    away = normals[near] - np.outer(normals[near] @ crown, crown)
    assert ((flow[near] * away).sum(1) > 0).mean() > 0.9


def test_hair_that_hangs_below_the_skull_hangs_straight_down() -> None:
    normals = np.tile(np.array([0, 0, -1], np.float32), (50, 1))
    points = np.c_[np.zeros(50), np.linspace(-0.1, -0.3, 50), np.full(50, -0.1)].astype(np.float32)
    flow = hair_flow(points, normals, np.zeros(3))
    assert flow[:, 1].max() < -0.9
