# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files made for packing are read back by another program pixel for pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from blender_addon.rig import png
from blender_addon.rig.png import png_bytes, png_steps


@pytest.mark.parametrize("shape", [(5, 7, 3), (9, 4), (1, 1, 3), (1, 1), (64, 64, 3)])
def test_pillow_reads_the_same_pixels(shape):
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png_bytes(pixels))))
    assert read.shape == shape and np.array_equal(read, pixels)


def test_strided_pixels_are_written_as_they_look():
    pixels = np.random.default_rng(3).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png_bytes(pixels[::-2, ::2]))))
    assert np.array_equal(read, pixels[::-2, ::2])


def test_a_smooth_picture_becomes_small():
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8), (256, 256))
    assert len(png_bytes(ramp)) < 2000


@pytest.mark.parametrize("shape", [(33, 7, 3), (33, 21)])
def test_a_large_picture_takes_many_steps_and_is_the_same(shape, monkeypatch):
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    monkeypatch.setattr(png, "STEP_BYTES", 2 * 21 + 5)
    assert sum(1 for _ in png_steps(pixels)) == 17
    read = np.asarray(Image.open(io.BytesIO(png_bytes(pixels))))
    assert np.array_equal(read, pixels)
