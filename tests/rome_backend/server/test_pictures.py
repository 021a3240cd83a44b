# SPDX-License-Identifier: Apache-2.0
"""Textures arrive as they were sent; files that are no texture are refused in words."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import FileInvalid, ProtocolError
from rome_backend.core.messages import SetSurface
from rome_backend.server.pictures import LARGEST_SIDE, albedo_of

FACES, UVS = np.zeros((1, 3), np.int32), np.zeros((1, 3, 2), np.float32)
NOISE = np.random.default_rng(0).integers(0, 256, (5, 7, 4), dtype=np.uint8)


def sent(data: bytes) -> SetSurface:
    return SetSurface(1, "a", FACES, UVS, albedo_png=np.frombuffer(data, np.uint8))


def png(pixels: np.ndarray, mode: str | None = None, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_has_the_pixels_it_was_made_of(channels: int) -> None:
    found = albedo_of(sent(png(NOISE[..., :channels])))
    assert found.dtype == np.uint8 and np.array_equal(found, NOISE[..., :3])


def test_pixels_are_taken_as_they_are() -> None:
    pixels = NOISE[..., :3]
    assert albedo_of(SetSurface(1, "a", FACES, UVS, pixels)) is pixels


def bomb() -> bytes:
    """A small file that says it is 100,000 px wide."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
    return start + struct.pack(">I", zlib.crc32(header)) + png(NOISE)[33:]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        png(NOISE)[:60],
        png(NOISE)[:-30],
        png(NOISE, "L"),
        png(NOISE, "P"),
        png(NOISE[..., :3], kind="BMP"),
        png(np.zeros((1, LARGEST_SIDE + 1, 3), np.uint8)),
        bomb(),
    ],
    ids=range(9),
)
def test_what_is_no_texture_is_refused(data: bytes) -> None:
    with pytest.raises(FileInvalid) as refused:
        albedo_of(sent(data))
    assert refused.value.code == "surface_invalid" and refused.value.hint


def test_a_surface_has_one_texture() -> None:
    picture = NOISE[..., :3]
    for textures in ({}, {"albedo": picture, "albedo_png": picture.ravel()}):
        with pytest.raises(ProtocolError) as refused:
            SetSurface(1, "a", FACES, UVS, **textures)
        assert refused.value.code == "message_invalid"
