# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels as a PNG file in memory, which Blender packs in no time.

Does not know bpy. Blender's own packing compresses on the main thread and takes four times
longer than what a window may stand still for.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

LEVEL = 1
STEP_BYTES = 1 << 20
_GREY, _RGB = 0, 2
_SUB = 1


def png_steps(pixels: NDArray[np.uint8]) -> Generator[None, None, bytes]:
    """Return (H, W, 3) or (H, W) u8 pixels, row 0 at the top, as a PNG (ISO/IEC 15948), in steps.

    One step takes a few milliseconds, whatever the picture's size.
    """
    height, width = pixels.shape[:2]
    channels = 3 if pixels.ndim == 3 else 1
    packer = zlib.compressobj(LEVEL)
    band = max(STEP_BYTES // (width * channels), 1)
    packed = []
    for top in range(0, height, band):
        packed.append(packer.compress(_filtered(pixels[top : top + band], channels)))
        yield
    packed.append(packer.flush())
    kind = _RGB if channels == 3 else _GREY
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [
        _chunk(b"IHDR", header),
        *(_chunk(b"IDAT", data) for data in packed if data),
        _chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Return what png_steps does, at once."""
    steps = png_steps(pixels)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def _filtered(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Return rows of pixels as PNG's filter Sub leaves them, each behind the filter's number."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels, dtype=np.uint8).reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), dtype=np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1 : 1 + channels] = rows[:, :channels]
    np.subtract(rows[:, channels:], rows[:, :-channels], out=filtered[:, 1 + channels :])
    return filtered


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
