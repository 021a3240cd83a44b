# SPDX-License-Identifier: Apache-2.0
"""Measuring the head's shape: reliefs of ears, what is matched, and that the file is its result.

Does not know what the shape is used for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.open_head.sculpture import FILE, UNIT, half_of
from rome_backend.open_head.surface import plain_skin
from tools import measure_ear, measure_sculpture


def sheet(height: float) -> tuple[np.ndarray, np.ndarray]:
    """A square of 12 cm in the ear's plane, raised by height in a disc of 15 mm."""
    line = np.linspace(-0.06, 0.06, 61)
    u, v = (axis.ravel() for axis in np.meshgrid(line, line))
    rise = np.where(np.hypot(u, v) < 0.015, height, 0.0)
    points = u[:, None] * measure_ear.BACK + v[:, None] * measure_ear.UP
    points = points + rise[:, None] * measure_ear.OUT
    start = (np.arange(60)[:, None] * 61 + np.arange(60)).ravel()
    quads = np.column_stack([start, start + 1, start + 62, start + 61])
    return points, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def test_axes_of_the_ear_are_a_frame() -> None:
    frame = np.stack([measure_ear.BACK, measure_ear.UP, measure_ear.OUT])
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert measure_ear.OUT[0] > 0 and measure_ear.BACK[2] < 0


def test_relief_gives_heights_where_they_are() -> None:
    heights = measure_ear.relief(*sheet(0.01))
    middle = heights.shape[0] // 2
    assert heights[middle, middle] == pytest.approx(0.01, abs=1e-9)
    assert heights[middle, -30] == pytest.approx(0.0, abs=1e-9)
    assert heights[-30, middle] == pytest.approx(0.0, abs=1e-9)
    assert heights.min() > -0.5


def test_grown_is_the_front_only() -> None:
    back, top, front, bottom = np.radians([0.0, 80.0, 180.0, 260.0])
    grown = measure_ear.grown(np.array([back, top, front, bottom]))
    np.testing.assert_allclose(grown, [0, 0, 1, 0])


def test_ear_rings_follow_the_relief() -> None:
    points, faces = sheet(0.0)
    ear = measure_ear.EarRelief(points + measure_ear.ORIGIN, faces)
    rings = ear.rings(42, 1.0)
    assert [len(ring) for ring in rings] == [42] * 15 + [1]
    moved = measure_ear.ORIGIN + measure_ear.MOVE
    fronts = np.concatenate(rings[6:])
    assert np.abs((fronts - moved) @ measure_ear.OUT).max() < 1e-6
    sizes = [np.ptp(ring @ measure_ear.UP) for ring in rings[5:15]]
    assert (np.diff(sizes) < 0).all()


def test_shoulders_follow_nothing_and_the_head_fully() -> None:
    places = np.array([[0, 0.1, -0.1], [0.07, -0.02, -0.08], [0.17, -0.2, -0.1], [0, -0.25, 0]])
    np.testing.assert_allclose(measure_sculpture.lowest_matched(places), [1, 1, 0, 0])


def test_committed_file_is_what_the_tool_makes(data_dir: Path) -> None:
    model = data_dir / "ict" / "ict_facekit_light_reduced.npz"
    skin = plain_skin()
    places = measure_sculpture.Registration(skin, measure_sculpture.load_target(model)).run()
    with np.load(FILE) as data:
        committed = data["positions"] * UNIT
    away = np.linalg.norm(places[half_of(skin.mirror)] - committed, axis=1)
    assert np.quantile(away, 0.99) < 2e-4  # another machine's solver may round otherwise
    assert away.max() < 2e-3
