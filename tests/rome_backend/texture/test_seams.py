# SPDX-License-Identifier: Apache-2.0
"""Tests of finding UV seams, measuring colour steps across them, and closing them.

Bakes nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.seams import closed_seams, seam_steps, seams_of

SIZE = 128


@pytest.fixture
def torn(egg: HeadModel) -> np.ndarray:
    """Grey that rises from 100 at the left border to 140 at the right: 36 across the cut."""
    ramp = 100 + 40 * (np.arange(SIZE) + 0.5) / SIZE
    return np.broadcast_to(ramp[None, :, None], (SIZE, SIZE, 3)).round().astype(np.uint8)


def test_the_step_across_the_cut_is_measured(egg: HeadModel, torn: np.ndarray) -> None:
    steps = seam_steps(egg, torn)
    assert len(steps) > SIZE  # the cut is 0.9 of the texture long
    np.testing.assert_allclose(steps, 36, atol=1)


def test_only_the_cut_is_a_seam(egg: HeadModel) -> None:
    seams = seams_of(egg, SIZE)
    columns = seams.texels % SIZE
    edge = int(0.05 * SIZE)
    at_left, at_right = columns <= edge + 1, columns >= SIZE - edge - 2
    assert (at_left | at_right).all()
    assert (at_left[:, 0].all(1) != at_left[:, 1].all(1)).all()
    np.testing.assert_allclose(seams.shares.sum(-1), 1)


def test_a_single_colour_has_no_step_and_no_seam_is_no_step(egg: HeadModel) -> None:
    assert seam_steps(egg, np.full((64, 64, 3), 80, np.uint8)).max() == 0
    lone = replace(egg, faces=egg.faces[:1], uv_faces=egg.uv_faces[:1])
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert seam_steps(lone, noise).max() == 0
    assert np.array_equal(closed_seams(lone, noise, np.ones((64, 64), bool)), noise)


def test_closing_removes_the_step_and_touches_nothing_else(
    egg: HeadModel, torn: np.ndarray
) -> None:
    covered = atlas_of(egg, SIZE).covered
    closed = closed_seams(egg, torn, covered)
    assert closed.dtype == np.uint8
    assert seam_steps(egg, closed).max() < 2
    touched = np.zeros(SIZE * SIZE, bool)
    touched[seams_of(egg, SIZE).texels.ravel()] = True
    assert np.array_equal(closed.reshape(-1, 3)[~touched], torn.reshape(-1, 3)[~touched])


def test_even_noise_is_closed(egg: HeadModel) -> None:
    noise = np.random.default_rng(1).integers(60, 190, (SIZE, SIZE, 3)).astype(np.uint8)
    closed = closed_seams(egg, noise, atlas_of(egg, SIZE).covered)
    assert seam_steps(egg, noise).max() > 30
    assert seam_steps(egg, closed).max() < 2


def test_padding_gives_way_before_the_islands(egg: HeadModel) -> None:
    covered = atlas_of(egg, SIZE).covered
    image = np.full((SIZE, SIZE, 3), 100, np.uint8)
    image[:, : SIZE // 2] = 110
    closed = closed_seams(egg, image, covered).astype(int) - image
    rows = slice(SIZE // 4, SIZE // 2)
    assert np.abs(closed[rows][~covered[rows]]).max() > np.abs(closed[rows][covered[rows]]).max()
