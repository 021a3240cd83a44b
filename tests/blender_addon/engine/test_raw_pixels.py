# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints tell images apart whatever changed; pixels are encoded as sRGB, top row first."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon.engine.raw_pixels import ROW, RawPixels

SHAPE = (33, 70, 4)  # four whole rows of words, and a rest


def noise(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def fingerprint(values, is_float=False):
    return RawPixels(np.ascontiguousarray(values), is_float).fingerprint()


def test_there_are_whole_rows_and_a_rest():
    assert noise().size > 4 * 2 * ROW and noise().size % (2 * ROW)


@pytest.mark.parametrize("place", [0, 1, 2047, 2048, 4097, -1, -600])
def test_the_least_change_anywhere_is_told(place):
    changed = noise()
    changed.reshape(-1)[place] = np.nextafter(changed.reshape(-1)[place], np.float32(2))
    assert fingerprint(changed) != fingerprint(noise())


def test_the_same_stroke_elsewhere_is_told():
    found = set()
    for y, x in [(0, 0), (0, 2), (0, 40), (20, 0), (20, 40), (32, 66)]:
        plain = np.full(SHAPE, 0.5, np.float32)
        plain[y : y + 3, x : x + 3] = 1.0
        found.add(fingerprint(plain))
    assert len(found) == 6


def test_swapped_strokes_are_told():
    one, other = np.full((2, 64, 64, 4), 0.5, np.float32)
    one[0, 0] = one[40, 30] = other[0, 30] = other[40, 0] = 1.0
    assert fingerprint(one) != fingerprint(other)


def test_equal_pixels_have_equal_fingerprints_and_other_kinds_do_not():
    assert fingerprint(noise()) == fingerprint(noise())
    others = fingerprint(noise(), True), fingerprint(noise().reshape(70, 33, 4))
    assert fingerprint(noise()) not in others


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_pixels_are_bytes_from_the_top(channels, step):
    values = noise(1, (6, 9, channels))
    found = RawPixels(values, False).encoded(step)
    colours = values[..., :3] if channels >= 3 else values[..., :1].repeat(3, axis=2)
    want = np.floor(colours * 255 + 0.5)[step // 2 :: step, step // 2 :: step][::-1]
    assert found.dtype == np.uint8 and np.array_equal(found, want)
    assert found.flags.c_contiguous and np.array_equal(values, noise(1, (6, 9, channels)))


def test_linear_light_is_encoded_and_clipped():
    values = np.float32([[[0.21404114, -1.0, 2.0, 1.0]]])
    assert RawPixels(values, True).encoded()[0, 0].tolist() == [128, 0, 255]
    assert RawPixels(np.clip(values, 0, 1), False).encoded()[0, 0].tolist() == [55, 0, 255]


def test_the_longer_side():
    assert RawPixels(noise(), False).side == 70
