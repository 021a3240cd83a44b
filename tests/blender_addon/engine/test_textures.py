# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels of albedo images: right, and read again exactly when they may have changed.

Does not know who draws with them.
"""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def textures(empty_blender):
    from blender_addon.engine import textures as module

    module.forget_textures()
    return module


@pytest.fixture
def reads(textures, monkeypatch):
    """A list that grows by one whenever an image's pixels are really read."""
    counted, read = [], textures._pixels
    monkeypatch.setattr(
        textures, "_pixels", lambda image, head: counted.append(image.name) or read(image, head)
    )
    return counted


PICTURE = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def packed(pixels=PICTURE, name="Albedo"):
    from blender_addon.rig.material import packed_image

    return packed_image(name, pixels, "sRGB")


def test_a_packed_image_is_read_once_and_exactly(textures, reads):
    image = packed()
    first, second = (textures.texture_of(image, "Ada") for _ in range(2))
    assert np.array_equal(first.pixels, PICTURE)
    assert second is first and reads == ["Albedo"]


def test_equal_pixels_have_equal_digests_and_others_do_not(textures):
    same = [textures.texture_of(packed(name=name), "Ada").digest for name in ("a", "b")]
    assert same[0] == same[1] != textures.texture_of(packed(PICTURE // 2), "Ada").digest


def test_another_packed_picture_is_read(textures, reads):
    from blender_addon.rig.material import fill_image
    from blender_addon.rig.png import png_bytes

    image = packed()
    textures.texture_of(image, "Ada")
    fill_image(image, png_bytes(255 - PICTURE))
    assert np.array_equal(textures.texture_of(image, "Ada").pixels, 255 - PICTURE)
    assert len(reads) == 2


def test_a_painted_image_is_read_every_time(textures, reads):
    image = packed()
    textures.texture_of(image, "Ada")
    for value in (0.0, 1.0):
        image.pixels.foreach_set(np.full(4 * 24, value, np.float32))
        assert (textures.texture_of(image, "Ada").pixels == 255 * value).all()
    assert len(reads) == 3


def test_a_file_on_disk_is_read_again_when_it_changed(textures, reads, empty_blender, tmp_path):
    from blender_addon.rig.png import png_bytes

    path = tmp_path / "albedo.png"
    path.write_bytes(png_bytes(PICTURE))
    image = empty_blender.data.images.load(str(path))
    for _ in range(2):
        assert np.array_equal(textures.texture_of(image, "Ada").pixels, PICTURE)
    assert len(reads) == 1
    path.write_bytes(png_bytes(np.full((5, 6, 3), 9, np.uint8)))
    image.reload()
    assert (textures.texture_of(image, "Ada").pixels == 9).all()


def test_a_float_image_is_encoded(textures, empty_blender):
    image = empty_blender.data.images.new("Float", 2, 2, float_buffer=True)
    image.pixels.foreach_set(np.float32([0.21404114, 0.0, 2.0, 1.0] * 4))
    assert textures.texture_of(image, "Ada").pixels[0, 0].tolist() == [128, 0, 255]


def test_what_is_missing_is_said_with_the_heads_name(textures, empty_blender, tmp_path):
    from blender_addon.core_access import RomeError

    gone = packed()
    gone.unpack(method="REMOVE")
    gone.filepath = str(tmp_path / "gone.png")
    for image in (None, gone):
        with pytest.raises(RomeError, match="Ada") as failed:
            textures.texture_of(image, "Ada")
        assert failed.value.code == "albedo_missing"
