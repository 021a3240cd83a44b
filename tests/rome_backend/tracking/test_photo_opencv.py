# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.photo_opencv."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import F32
from rome_backend.tracking.photo import load_photo
from rome_backend.tracking.photo_opencv import decode_with_opencv


def scene() -> F32:
    rows, columns = np.mgrid[:64, :80] / 80
    return np.stack([columns, rows, 1 - columns], -1).astype(np.float32)


def encoded(ending: str) -> bytes:
    done, data = cv2.imencode(ending, np.ascontiguousarray(scene()[..., ::-1]))
    assert done
    return data.tobytes()


@pytest.mark.parametrize("ending", [".tiff", ".hdr"])
def test_floating_point_pictures(ending: str) -> None:
    wanted = np.rint(scene() * 255)
    got = decode_with_opencv(encoded(ending), "x", 10**6)
    assert np.abs(got - wanted).max() <= 3
    np.testing.assert_array_equal(load_photo(encoded(ending)).rgb, got)


@pytest.mark.parametrize("ending", [".tiff", ".hdr"])
def test_too_many_pixels_are_refused_before_decoding(ending: str) -> None:
    with pytest.raises(PhotoRefused) as caught:
        decode_with_opencv(encoded(ending), "x", 64 * 80 - 1)
    assert caught.value.code == "photo_too_large"


def test_a_header_that_promises_too_much_is_refused() -> None:
    entries = struct.pack("<HHII", 256, 4, 1, 60_000) + struct.pack("<HHII", 257, 4, 1, 60_000)
    data = b"II*\0" + struct.pack("<IH", 8, 2) + entries
    with pytest.raises(PhotoRefused) as caught:
        decode_with_opencv(data, "x", 10**9)
    assert caught.value.code == "photo_too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"plain text",
        b"GIF89a",
        b"II*\0" + struct.pack("<I", 4_000_000_000),
        b"MM\0*" + struct.pack(">IH", 8, 0),
        b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 4, 1, 50),
        b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 64\n",
        b"#?RADIANCE\n",
    ],
)
def test_other_content_is_refused(data: bytes) -> None:
    with pytest.raises(PhotoRefused) as caught:
        decode_with_opencv(data, "x", 10**6)
    assert caught.value.code == "photo_unreadable"


@pytest.mark.parametrize("ending", [".tiff", ".hdr"])
def test_damaged_files_are_read_or_refused(ending: str) -> None:
    data = encoded(ending)
    random = np.random.default_rng(1)
    for _ in range(40):
        broken = bytearray(data[: int(random.integers(20, len(data)))])
        for _ in range(4):
            broken[int(random.integers(min(len(broken), 300)))] = int(random.integers(256))
        try:
            assert decode_with_opencv(bytes(broken), "x", 10**6).shape[2] == 3
        except PhotoRefused as refusal:
            assert refusal.hint
