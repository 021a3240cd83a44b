# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels of albedo images: right, and read again exactly when they may have changed.

Does not know who draws with them.
"""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest


@pytest.fixture
def textures(empty_blender, monkeypatch):
    from blender_addon.engine import textures as module

    module.forget_textures()
    monkeypatch.setattr(module, "_buffers", module.PixelBuffers())
    yield module
    module._buffers.drop_free()


@pytest.fixture
def reads(textures, monkeypatch):
    """A list that grows by one whenever an image's pixels are read out of Blender."""
    counted, read = [], textures.raw_pixels
    monkeypatch.setattr(
        textures, "raw_pixels", lambda image, *rest: counted.append(1) or read(image, *rest)
    )
    return counted


@pytest.fixture
def conversions(textures, monkeypatch):
    """A list of the sides of what was converted whole."""
    counted, convert = [], textures._converted
    monkeypatch.setattr(
        textures, "_converted", lambda raw: counted.append(raw.side) or convert(raw)
    )
    return counted


PICTURE = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def packed(pixels=PICTURE, name="Albedo"):
    from blender_addon.rig.material import packed_image

    return packed_image(name, pixels, "sRGB")


def shown(texture):
    """Return a texture's pixels as the backend decodes them."""
    if texture.pixels is not None:
        return texture.pixels
    image = pytest.importorskip("PIL.Image")
    return np.array(image.open(io.BytesIO(texture.png)))[..., :3]


def read_by_blender(image):
    """Return what Blender has of an image, (H, W, 3) u8, top row first."""
    width, height = image.size
    values = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(values)
    return (values * 255 + 0.5).astype(np.uint8).reshape(height, width, -1)[::-1, :, :3]


def test_a_packed_png_goes_as_it_is_and_blender_never_reads_it(textures, reads):
    image = packed()
    found = textures.texture_of(image, "Ada")
    assert found.pixels is None and found.png == image.packed_file.data
    assert np.array_equal(shown(found), PICTURE) and not reads


@pytest.mark.parametrize("alpha_mode", ["STRAIGHT", "PREMUL", "CHANNEL_PACKED", "NONE"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "I;16"])
def test_whatever_is_packed_is_shown_as_blender_shows_it(textures, mode, alpha_mode):
    from blender_addon.rig.material import fill_image

    module = pytest.importorskip("PIL.Image")
    noise = np.random.default_rng(1).integers(0, 256, (5, 7, 4), dtype=np.uint8)
    image = packed()
    image.alpha_mode = alpha_mode
    file = io.BytesIO()
    if mode == "I;16":
        module.fromarray(noise[..., 0].astype(np.uint16) * 257).save(file, "PNG")
    else:
        module.fromarray(noise).convert(mode).save(file, "PNG")
    fill_image(image, file.getvalue())
    found = textures.texture_of(image, "Ada")
    if image.is_float:
        assert found.png is None
        return
    assert np.array_equal(shown(found), read_by_blender(image))
    plain = mode == "RGB" or (mode == "RGBA" and alpha_mode != "PREMUL")
    assert (found.png is not None) == plain


def test_what_blender_packed_after_painting_goes_as_it_is(textures, reads):
    image = packed()
    image.pixels.foreach_set(np.full(4 * 24, 0.2, np.float32))
    assert textures.texture_of(image, "Ada").png is None
    image.pack()
    found = textures.texture_of(image, "Ada")
    assert found.png is not None and np.array_equal(shown(found), read_by_blender(image))


def test_equal_files_have_equal_digests_and_others_do_not(textures):
    same = [textures.texture_of(packed(name=name), "Ada").digest for name in ("a", "b")]
    assert same[0] == same[1] != textures.texture_of(packed(PICTURE // 2), "Ada").digest


def test_another_packed_picture_is_taken(textures):
    from blender_addon.rig.material import fill_image
    from blender_addon.rig.png import png_bytes

    image = packed()
    textures.texture_of(image, "Ada")
    fill_image(image, png_bytes(255 - PICTURE))
    assert np.array_equal(shown(textures.texture_of(image, "Ada")), 255 - PICTURE)


def test_a_painted_image_is_read_every_time_and_converted_when_it_changed(
    textures, reads, conversions
):
    image = packed()
    textures.texture_of(image, "Ada")
    for value in (0.0, 0.0, 1.0, 1.0, 1.0):
        image.pixels.foreach_set(np.full(4 * 24, value, np.float32))
        assert (textures.texture_of(image, "Ada").pixels == 255 * value).all()
    assert len(reads) == 5 and len(conversions) == 2


def painted(bpy, width=2080, height=3, is_float=False):
    """Return an image of noise that is larger than a viewport waits for."""
    image = bpy.data.images.new("Large", width, height, float_buffer=is_float)
    paint(image, 0)
    return image


def paint(image, seed):
    count = image.size[0] * image.size[1] * 4
    image.pixels.foreach_set(np.random.default_rng(seed).random(count, dtype=np.float32))


def followed(textures, image):
    """Return the textures that a viewport shows one after the other."""
    found = [textures.texture_soon(image, "Ada")]
    while found[-1].better is not None:
        better = found[-1].better.result(30)
        found.append(better or textures.texture_soon(image, "Ada"))
    return found


def widths(found):
    """Return the widths of textures, None for a file."""
    return [None if each.pixels is None else each.pixels.shape[1] for each in found]


@pytest.mark.parametrize("is_float", [False, True])
def test_a_viewport_gets_a_few_pixels_then_all(textures, empty_blender, is_float):
    image = painted(empty_blender, is_float=is_float)
    *_, small, whole = followed(textures, image)
    textures.forget_textures()
    exact = textures.texture_of(image, "Ada")
    assert np.array_equal(whole.pixels, exact.pixels) and whole.digest == exact.digest
    assert small.pixels.shape == (1, 693, 3)
    assert np.array_equal(small.pixels, exact.pixels[1:2, 1::3])


def test_a_viewport_shows_what_was_there_until_the_stroke_is_read(textures, empty_blender):
    image = painted(empty_blender)
    before = followed(textures, image)[-1]
    paint(image, 1)
    stroke, *others = followed(textures, image)
    assert stroke.digest == before.digest and widths(others) == [693, 2080]


def test_the_first_stroke_shows_the_packed_picture_meanwhile(textures, empty_blender):
    image = packed(np.zeros((2, 1500, 3), np.uint8))
    png = image.packed_file.data
    image.pixels.foreach_set(np.ones(4 * 3000, np.float32))
    first, *others = followed(textures, image)
    assert first.png == png and widths(others) == [None, 750, 1500]
    assert (others[-1].pixels == 255).all()


def test_an_unchanged_painted_image_is_not_converted_again(textures, empty_blender, conversions):
    image = painted(empty_blender)
    whole = followed(textures, image)[-1]
    assert all(each.pixels is whole.pixels for each in followed(textures, image))
    assert textures.texture_of(image, "Ada").pixels is whole.pixels
    assert conversions == [2080]


def test_strokes_that_were_painted_over_are_not_converted(textures, empty_blender, conversions):
    image = painted(empty_blender)
    followed(textures, image)
    conversions.clear()
    with textures._one_at_a_time:  # as if an earlier stroke were still converted
        paint(image, 1)
        first = textures.texture_soon(image, "Ada").better.result(30)
        paint(image, 2)
        wait = textures.texture_soon(image, "Ada").better.result(30)
        second = textures.texture_soon(image, "Ada").better.result(30)
        third = textures.texture_soon(image, "Ada")
    assert wait is None and widths([first, second]) == [693, 693]
    assert first.better.result(30).pixels.shape[1] == 693
    assert second.better.result(30).pixels.shape[1] == 2080
    assert conversions == [2080]
    assert third.better.result(30) is None  # both buffers were in use


def test_without_memory_a_viewport_keeps_what_it_has(textures, empty_blender, monkeypatch):
    def fail(raw):
        raise MemoryError

    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    image = painted(empty_blender)
    monkeypatch.setattr(textures, "_converted", fail)
    for _ in range(3):  # and its buffers are free again
        assert widths(followed(textures, image))[-2:] == [693, 693]
    for thread in threading.enumerate():
        if thread.name == "rome-texture":
            thread.join(30)
    assert [each.exc_type for each in said] == [MemoryError] * 3


def test_small_images_come_whole_at_once(textures, empty_blender):
    image = painted(empty_blender, 1024, 2)
    found = textures.texture_soon(image, "Ada")
    assert found.better is None and found.pixels.shape == (2, 1024, 3)


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
    assert (textures.texture_soon(image, "Ada").pixels == 9).all()
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
        with pytest.raises(RomeError, match="Ada"):
            textures.texture_soon(image, "Ada")
