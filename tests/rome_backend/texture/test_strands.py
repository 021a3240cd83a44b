# SPDX-License-Identifier: Apache-2.0
"""Hair detail: seeded, drawn out along the strands, continuous all round.

Does not test its colours.
"""

from __future__ import annotations

import numpy as np

from rome_backend.texture.strands import strand_detail

CENTRE = np.zeros(3)


def on_sphere(azimuth: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Points on a 10 cm sphere; azimuth 0 in front, ``below`` rad from the top."""
    x, z = np.sin(below) * np.sin(azimuth), np.sin(below) * np.cos(azimuth)
    return (0.1 * np.stack([x, np.cos(below), z], -1)).astype(np.float32)


def test_the_seed_alone_decides() -> None:
    points = on_sphere(np.linspace(0, 6, 500), np.full(500, 1.5))
    first, again, other = (strand_detail(points, CENTRE, seed) for seed in (3, 3, 4))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not np.allclose(first[0], other[0])


def test_strands_vary_across_far_more_than_along() -> None:
    step = 2e-3 / 0.1  # rad for 2 mm
    azimuth = np.random.default_rng(0).uniform(-1, 1, 4000) + np.pi
    below = np.full(4000, 1.4)
    here = on_sphere(azimuth, below)
    across = on_sphere(azimuth + step / np.sin(1.4), below)
    along = on_sphere(azimuth, below + step)
    for band in (0, 1):
        detail = [strand_detail(points, CENTRE, 0)[band] for points in (here, across, along)]
        sideways = np.std(detail[1] - detail[0])
        down = np.std(detail[2] - detail[0])
        assert down < 0.6 * sideways


def test_there_is_no_seam_where_the_azimuth_wraps() -> None:
    below = np.linspace(1.2, 2.2, 400)
    gap = 1e-4
    for turn in np.linspace(-np.pi, np.pi, 9):
        left = strand_detail(on_sphere(np.full(400, turn - gap), below), CENTRE, 0)
        right = strand_detail(on_sphere(np.full(400, turn + gap), below), CENTRE, 0)
        assert np.abs(left[0] - right[0]).max() < 0.4
        assert np.abs(left[1] - right[1]).max() < 0.1


def test_it_has_unit_size_and_fades_at_the_crown() -> None:
    rng = np.random.default_rng(1)
    points = on_sphere(rng.uniform(-np.pi, np.pi, 20000), rng.uniform(1.2, 2.0, 20000))
    for band in strand_detail(points, CENTRE, 0):
        assert 0.8 < band.std() < 1.2
        assert abs(band.mean()) < 0.15
    crown = 0.1 * np.float32([[0, np.cos(0.35), -np.sin(0.35)]])
    assert np.abs(strand_detail(crown, CENTRE, 0)[1]).max() < 0.05
