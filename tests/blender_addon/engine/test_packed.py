# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packed files are plain PNGs: by their header and chunks, whatever else they hold."""

from __future__ import annotations

import struct
import zlib

import pytest

from blender_addon.engine.packed import LARGEST_SIDE, is_plain_png


def chunk(name, data=b""):
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width=4, height=3, depth=8, kind=2, chunks=(), end=(b"IDAT", b"IEND")):
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, *map(chunk, end)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PLAIN = [
    png(),
    png(kind=6),
    png(LARGEST_SIDE, LARGEST_SIDE),
    png(chunks=[chunk(b"pHYs", b"123456789"), chunk(b"tEXt", b"a\0b")]),
]
OTHERS = {
    "another size": png(LARGEST_SIDE + 1, 4),
    "no size": png(0, 4),
    "16 bits": png(depth=16),
    "grey": png(kind=0),
    "palette": png(kind=3),
    "grey with alpha": png(kind=4),
    "a profile": png(chunks=[chunk(b"iCCP", b"12345")]),
    "one transparent colour": png(chunks=[chunk(b"tRNS", b"123456")]),
    "no pixels": png(end=(b"IEND",)),
    "cut short": png()[:36],
    "a length beyond the end": png(chunks=[struct.pack(">I4s", 1 << 31, b"tEXt")]),
    "a JPEG": b"\xff\xd8\xff" + b"\0" * 60,
    "nothing": b"",
}


@pytest.mark.parametrize("data", PLAIN, ids=range(len(PLAIN)))
def test_plain_ones(data):
    assert is_plain_png(data, "STRAIGHT")


@pytest.mark.parametrize("name", OTHERS)
def test_others(name):
    assert not is_plain_png(OTHERS[name], "STRAIGHT")


def test_alpha_counts_where_blender_multiplies_with_it():
    assert not is_plain_png(png(kind=6), "PREMUL")
    assert is_plain_png(png(kind=2), "PREMUL")
