# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether a packed picture is a PNG that anybody reads to the pixels that Blender shows.

Does not know bpy, nor what the picture is for. Where it is, the backend can decode it, which for
a large texture takes longer than a viewport may stand still.
"""

from __future__ import annotations

import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_SIDE = 8192
RGB, RGBA = 2, 6  # PNG's colour types
# Chunks that do not change pixels. Others are possible, and those pictures are read the slow way.
HARMLESS = frozenset(
    (b"pHYs", b"oFFs", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf", b"bKGD", b"gAMA", b"sRGB",
     b"cHRM")
)  # fmt: skip
PLAIN_ALPHA = ("STRAIGHT", "CHANNEL_PACKED", "NONE")


def is_plain_png(data: bytes, alpha_mode: str) -> bool:
    """Return whether a file is a PNG of 8-bit RGB, or RGBA that Blender does not multiply."""
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
        return False
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    sized = all(1 <= side <= LARGEST_SIDE for side in (width, height))
    coloured = kind == RGB or (kind == RGBA and alpha_mode in PLAIN_ALPHA)
    return sized and depth == 8 and coloured and _only_harmless(data)


def _only_harmless(data: bytes) -> bool:
    """Return whether nothing before the pixels changes what they mean."""
    at = 33  # behind the header and its check sum
    while len(data) >= at + 8:
        length, name = struct.unpack(">I4s", data[at : at + 8])
        if name == b"IDAT":
            return True
        if name not in HARMLESS:
            return False
        at += 12 + length
    return False
