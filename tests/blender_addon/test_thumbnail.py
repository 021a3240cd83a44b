# SPDX-License-Identifier: GPL-3.0-or-later
"""The small picture in the panel comes and goes with the choice."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon import thumbnail
from blender_addon.photos import CHOICE


@pytest.fixture
def picture(enabled):
    CHOICE.picture = np.zeros((40, 30, 3), np.uint8)
    CHOICE.faces, CHOICE.size = np.array([[10, 10, 20, 20]], np.float32), (30, 40)
    yield enabled
    CHOICE.clear()


def _shown():
    return thumbnail._previews[0].get(thumbnail.NAME)


def test_it_has_the_photo_s_shape_and_the_face_framed(picture):
    thumbnail.show_picture(picture.context)
    preview = _shown()
    assert tuple(preview.image_size) == (30, 40)
    pixels = np.empty(30 * 40 * 4, np.float32)
    preview.image_pixels_float.foreach_get(pixels)
    orange = pixels.reshape(40, 30, 4)[::-1][10, 15]
    assert orange[0] > 0.9 and 0.4 < orange[1] < 0.7 and orange[2] < 0.2


def test_another_face_is_framed_when_it_is_chosen(picture):
    CHOICE.faces = np.array([[10, 10, 20, 20], [2, 30, 8, 38]], np.float32)
    thumbnail.show_picture(picture.context)
    picture.context.window_manager.rome.face = 1
    pixels = np.empty(30 * 40 * 4, np.float32)
    _shown().image_pixels_float.foreach_get(pixels)
    rows = pixels.reshape(40, 30, 4)[::-1]
    assert rows[30, 5, 0] > 0.9 and rows[10, 15, 0] < 0.1


def test_without_a_photo_there_is_none(picture):
    thumbnail.show_picture(picture.context)
    CHOICE.clear()
    thumbnail.show_picture(picture.context)
    assert _shown() is None and thumbnail.picture_icon() == 0


def test_with_the_add_on_disabled_nothing_breaks(picture):
    from blender_addon import registration

    registration.unregister_all()
    thumbnail.show_picture(picture.context)
    assert thumbnail.picture_icon() == 0
