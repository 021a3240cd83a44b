# SPDX-License-Identifier: Apache-2.0
"""Tests of clothes that go on below a photo: parts stay parts, patterns make no bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.camera import orbit
from rome_backend.texture.drawn_out import below, drawn_out
from rome_backend.texture.view import TextureView

SIZE, LAST, METRES = 200, 119, 0.0005
JACKET, SHIRT = (30.0, 40.0, 70.0), (200.0, 205.0, 210.0)
Tailor = Callable[..., TextureView]


@pytest.fixture
def bust() -> Tailor:
    """bust(pattern): a jacket over a shirt of 60 px, in a photo that ends 80 px above the crop."""

    def make(pattern: np.ndarray | float = 0.0) -> TextureView:
        rgb = np.full((SIZE, SIZE, 3), JACKET)
        rgb[:, 70:130] = SHIRT
        rgb[: LAST + 1] = (rgb * np.exp(np.asarray(pattern)[..., None]))[: LAST + 1]
        valid = np.zeros((SIZE, SIZE), bool)
        valid[: LAST + 1] = True
        rgb[LAST + 1 :] = (255, 0, 255)  # not the photo's, and never to be seen
        camera = orbit(np.zeros(3), 1.0, 0, 0, SIZE * METRES, SIZE, SIZE)
        matte = np.ones((SIZE, SIZE), np.float32)
        pixels = np.clip(rgb, 0, 255).astype(np.uint8)
        return TextureView(pixels, matte, valid, camera, np.zeros((3, 3)), np.zeros((3, 2)))

    return make


def test_parts_of_the_garment_go_on_with_their_borders(bust: Tailor) -> None:
    rgb, last = drawn_out(bust(), METRES)
    assert last == LAST - 3
    lower = rgb[int(last) + 1 :]
    assert np.abs(lower[:, 5:50] - JACKET).max() < 8
    assert np.abs(lower[:, 90:110] - SHIRT).max() < 8
    assert np.abs(lower[:, 64] - SHIRT).min() > 100 > 40 > np.abs(lower[:, 76] - SHIRT).max()


def test_a_pattern_goes_on_as_a_pattern_and_not_as_bars(bust: Tailor) -> None:
    y, x = np.mgrid[:SIZE, :SIZE]
    check = 0.3 * np.sign(np.sin(x * np.pi / 4) * np.sin(y * np.pi / 4))
    rgb, last = drawn_out(bust(check), METRES)
    lower = rgb[int(last) + 15 :, 80:120].mean(-1)
    across, down = lower.mean(0).std(), lower.mean(1).std()
    assert lower.std() > 20  # it is there
    assert across < 0.3 * lower.std() and down < 0.3 * lower.std()  # in no column and no row


def test_the_photo_goes_over_into_what_is_drawn_out_without_a_step(bust: Tailor) -> None:
    smooth = 0.2 * np.sin(np.mgrid[:SIZE, :SIZE][0] / 25)
    rgb, last = drawn_out(bust(smooth), METRES)
    row = int(last)
    assert np.abs(rgb[row + 1] - rgb[row]).max() < 3
    assert np.abs(np.diff(rgb[row - 20 :], axis=0)).max() < 8


def test_what_stands_alone_above_the_border_is_not_repeated(bust: Tailor) -> None:
    knot = np.zeros((SIZE, SIZE))
    knot[92:104, 94:108] = -1.5
    rgb, last = drawn_out(bust(knot), METRES)
    lower = rgb[int(last) + 8 :, 84:118].mean(-1)
    assert rgb[98, 100].mean() < 60
    assert lower.min() > 0.6 * np.mean(SHIRT)


def test_the_background_above_the_border_is_no_pattern(bust: Tailor) -> None:
    view = bust()
    rgb, matte = view.rgb.copy(), view.matte.copy()
    rgb[:105, 150:], matte[:105, 150:] = (250, 250, 90), 0
    lower = drawn_out(replace(view, rgb=rgb, matte=matte), METRES)[0][LAST:, 156:]
    assert np.abs(lower - JACKET).max() < 12


def test_the_background_beside_the_person_is_not_drawn_out(bust: Tailor) -> None:
    view = bust()
    rgb, matte = view.rgb.copy(), view.matte.copy()
    rgb[:, 160:], matte[:, 160:] = (250, 250, 90), 0
    lower = drawn_out(replace(view, rgb=rgb, matte=matte), METRES)[0][LAST - 1 :, 140:]
    assert np.abs(lower - JACKET).max() < 12


def test_a_photo_to_the_crops_end_or_of_few_rows_is_no_trouble(bust: Tailor) -> None:
    view = bust()
    whole = replace(view, valid=np.ones((SIZE, SIZE), bool))
    rgb, last = drawn_out(whole, METRES)
    assert last == np.inf and np.array_equal(rgb, view.rgb.astype(np.float32))
    none = replace(view, valid=np.zeros((SIZE, SIZE), bool))
    assert drawn_out(none, METRES)[1] == np.inf
    slit = replace(view, valid=(np.arange(SIZE) < 2)[:, None] & whole.valid)
    rgb, last = drawn_out(slit, METRES)
    assert last == 0 and np.isfinite(rgb).all() and rgb.min() >= 0 and rgb.max() <= 255


def test_it_begins_at_the_border_and_fades_far_below(bust: Tailor) -> None:
    view = bust()
    y = np.array([50.0, 118, 125, 190, 416, 530], np.float32)
    far = below(view, np.full(6, 100, np.float32), y, LAST - 3.0, METRES)
    assert far[0] == 0 and far[1] > 0.9 and far[2] > 0.99 and far[3] > 0.99
    assert 0 < far[4] < 0.5 and far[5] == 0
