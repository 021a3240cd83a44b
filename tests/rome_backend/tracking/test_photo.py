# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.photo: every format, hostile files, bounded sizes."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8
from rome_backend.tracking import photo as photo_module
from rome_backend.tracking.photo import load_photo


def scene(height: int = 64, width: int = 96) -> U8:
    """Smooth, asymmetric colours that survive lossy formats."""
    rows, columns = np.mgrid[:height, :width]
    channels = [columns * 255 / width, rows * 255 / height, 255 - columns * 200 / width]
    return np.stack(channels, -1).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def close(got: U8, wanted: U8, tolerance: float = 6.0) -> bool:
    return got.shape == wanted.shape and float(np.abs(got.astype(int) - wanted).mean()) < tolerance


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("JPEG2000", {}),
        ("AVIF", {"quality": 95}),
        ("PPM", {}),
        ("TGA", {}),
        ("GIF", {}),
    ],
)
def test_formats(kind: str, options: dict[str, Any]) -> None:
    photo = load_photo(encoded(Image.fromarray(scene()), kind, **options))
    assert close(photo.rgb, scene(), 12)
    assert photo.rgb.dtype == np.uint8 and photo.rgb.flags.c_contiguous
    assert photo.alpha is None
    assert photo.warnings == ()


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16", "I", "F", "LAB"])
def test_modes_become_rgb(mode: str) -> None:
    image = Image.fromarray(scene())
    grey = np.asarray(image.convert("L"))
    wanted: U8 = scene()
    if mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    elif mode in ("I;16", "I", "F"):
        wanted = np.repeat(grey[..., None], 3, 2)
        image = Image.fromarray(
            {
                "I;16": grey.astype(np.uint16) * 257,
                "I": grey.astype(np.int32) * 257,
                "F": grey.astype(np.float32) / 255,
            }[mode]
        )
        assert image.mode == mode
    else:
        image = image.convert(mode)
        if mode in ("L", "1"):
            wanted = np.repeat(grey[..., None], 3, 2)
    photo = load_photo(encoded(image, "TIFF"))
    if mode == "1":
        assert close(photo.rgb.mean((0, 1))[None], wanted.mean((0, 1))[None], 8)
    else:
        assert close(photo.rgb, wanted, 30 if mode == "P" else 10)


def test_sixteen_bit_colour_png() -> None:
    rows = (scene().astype(">u2") * 257).tobytes()
    stride = scene().shape[1] * 6
    raw = b"".join(b"\0" + rows[i : i + stride] for i in range(0, len(rows), stride))
    header = struct.pack(">IIBBBBB", scene().shape[1], scene().shape[0], 16, 2, 0, 0, 0)
    photo = load_photo(png(header, zlib.compress(raw)))
    np.testing.assert_array_equal(photo.rgb, scene())


def png(header: bytes, content: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    parts = [chunk(b"IHDR", header), chunk(b"IDAT", content), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    stored = scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load_photo(encoded(Image.fromarray(stored), "PNG", exif=exif.tobytes()))
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, 3),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(stored, 1),
    }[orientation]
    np.testing.assert_array_equal(photo.rgb, upright)


def test_broken_exif_does_no_harm() -> None:
    data = encoded(Image.fromarray(scene()), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" * 3)
    np.testing.assert_array_equal(load_photo(data).rgb, scene())


def test_alpha_is_kept_apart_and_colours_stay_unmultiplied() -> None:
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    photo = load_photo(encoded(Image.fromarray(np.dstack([scene(), alpha])), "PNG"))
    np.testing.assert_array_equal(photo.rgb, scene())
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, alpha)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_alpha_that_is_the_same_everywhere_means_nothing(value: int) -> None:
    alpha = np.full((64, 96), value, np.uint8)
    photo = load_photo(encoded(Image.fromarray(np.dstack([scene(), alpha])), "PNG"))
    assert photo.alpha is None


def test_grey_with_alpha_and_palette_with_a_clear_colour() -> None:
    grey = np.dstack([scene()[..., 0], scene()[..., 1]])
    photo = load_photo(encoded(Image.fromarray(grey, "LA"), "PNG"))
    assert photo.alpha is not None and photo.alpha[-1, 0] > photo.alpha[0, 0]
    image = Image.fromarray((scene()[..., 0] // 64), "P")
    image.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    photo = load_photo(encoded(image, "PNG", transparency=0))
    assert photo.alpha is not None and set(np.unique(photo.alpha)) == {0, 255}


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(np.roll(scene(), n * 20, 1)) for n in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    photo = load_photo(data)
    assert photo.warnings == ("several_frames",)
    assert close(photo.rgb, scene(), 14)


def test_a_colour_profile_is_applied() -> None:
    """The same numbers mean other colours in a linear space."""
    linear = ImageCms.createProfile("XYZ")
    data = encoded(
        Image.fromarray(scene()), "PNG", icc_profile=ImageCms.ImageCmsProfile(linear).tobytes()
    )
    photo = load_photo(data)
    assert not close(photo.rgb, scene(), 6) or photo.warnings == ("colour_profile_ignored",)
    broken = encoded(Image.fromarray(scene()), "PNG", icc_profile=b"no profile")
    photo = load_photo(broken)
    assert photo.warnings == ("colour_profile_ignored",)
    np.testing.assert_array_equal(photo.rgb, scene())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo_unreadable"),
        (b"hello", "photo_unreadable"),
        (b"<html><body>not found</body></html>", "photo_unreadable"),
        (b"\x89PNG\r\n\x1a\n", "photo_unreadable"),
        (encoded(Image.fromarray(scene()), "JPEG")[:200], "photo_unreadable"),
        (encoded(Image.fromarray(scene()), "JPEG")[:-300], "photo_truncated"),
        (encoded(Image.fromarray(scene()), "PNG")[:-200], "photo_truncated"),
        (encoded(Image.new("RGB", (8, 8)), "PNG"), "photo_too_small"),
        (encoded(Image.new("RGB", (6000, 40)), "PNG"), "photo_too_small"),
        (png(struct.pack(">IIBBBBB", 30000, 30000, 1, 0, 0, 0, 0), b""), "photo_too_large"),
        (png(struct.pack(">IIBBBBB", 13000, 10000, 8, 2, 0, 0, 0), b""), "photo_too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_next_step(data: bytes, code: str) -> None:
    with pytest.raises(PhotoRefused) as caught:
        load_photo(data, name="holiday.jpg")
    assert caught.value.code == code
    assert caught.value.exit_code == 3
    assert "holiday.jpg" in caught.value.message
    assert caught.value.hint


def test_files_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.jpg", tmp_path):
        with pytest.raises(PhotoRefused) as caught:
            load_photo(path)
        assert caught.value.code == "photo_unreadable"


def test_the_number_of_pixels_is_an_argument() -> None:
    data = encoded(Image.fromarray(scene()), "PNG")
    with pytest.raises(PhotoRefused) as caught:
        load_photo(data, max_pixels=64 * 96 - 1)
    assert caught.value.code == "photo_too_large"
    assert load_photo(data, max_pixels=64 * 96).rgb.shape == (64, 96, 3)


def test_formats_whose_decoders_take_much_memory_have_a_lower_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photo_module, "_MAXIMUM_HUNGRY_PIXELS", 64 * 96 - 1)
    for kind in ("WEBP", "JPEG2000", "AVIF", "GIF"):
        with pytest.raises(PhotoRefused) as caught:
            load_photo(encoded(Image.fromarray(scene()), kind))
        assert caught.value.code == "photo_too_large"
    assert load_photo(encoded(Image.fromarray(scene()), "PNG")).warnings == ()


def test_a_file_too_long_to_be_a_photo_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_module, "_MAXIMUM_BYTES", 100)
    path = tmp_path / "long.png"
    path.write_bytes(encoded(Image.fromarray(scene()), "PNG"))
    with pytest.raises(PhotoRefused) as caught:
        load_photo(path)
    assert caught.value.code == "photo_too_large"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16", "F"])
def test_large_pictures_are_averaged_down(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_module, "_KEPT_PIXELS", 2000)
    source = Image.fromarray(scene(128, 192))
    grey = np.asarray(source.convert("L"))
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(grey.astype(np.float32) / 255)
    else:
        image = source.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = load_photo(encoded(image, "TIFF", exif=exif))
    assert photo.warnings == ("photo_reduced",)
    assert photo.rgb.shape[0] * photo.rgb.shape[1] <= 2000
    assert photo.rgb.shape[0] > photo.rgb.shape[1], "orientation was lost"
    assert close(photo.rgb.mean((0, 1))[None], np.asarray(source).mean((0, 1))[None], 60)


def test_a_large_jpeg_is_decoded_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_module, "_KEPT_PIXELS", 100_000)
    photo = load_photo(encoded(Image.fromarray(scene(800, 1200)), "JPEG", quality=95))
    assert photo.warnings == ("photo_reduced",)
    assert 20_000 < photo.rgb.shape[0] * photo.rgb.shape[1] <= 100_000
    height, width = photo.rgb.shape[:2]
    assert close(photo.rgb, np.asarray(Image.fromarray(scene(800, 1200)).resize((width, height))))


FORMAT_FILES = ("fmt_", "size_", "bad_", "hopper_", "wrong_ext")


def test_every_odd_file_is_read_or_refused_as_expected(data_dir: Path) -> None:
    expected = json.loads((data_dir / "expected_negatives.json").read_text("utf-8"))["files"]
    names = [name for name in expected if Path(name).name.startswith(FORMAT_FILES)]
    assert len(names) > 25
    for name in names:
        outcomes = expected[name]["outcome"]
        if "bad_" not in name and "size_huge" not in name and outcomes != ["refuse"]:
            assert load_photo(data_dir / name).rgb.shape[2] == 3, name
        elif outcomes == ["refuse"]:
            with pytest.raises(PhotoRefused):
                load_photo(data_dir / name)


def test_names_with_spaces_and_letters_of_any_script(data_dir: Path) -> None:
    (path,) = (data_dir / "negatives").glob("имя*")
    assert load_photo(path).name == path.name
