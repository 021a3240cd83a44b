# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the one kind of OpenEXR file that the engine's tests write: f32, uncompressed, one part.

Does not know bpy. Source: the OpenEXR file layout, openexr.com.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

FLOAT = 2


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """Return channel name -> (H, W) f32, top row first."""
    data = path.read_bytes()
    header, at = {}, 8
    while data[at]:
        name, at = _text(data, at)
        _, at = _text(data, at)
        size = struct.unpack_from("<i", data, at)[0]
        header[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    assert header["compression"] == b"\0", "compressed"
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    names = _channels(header["channels"])
    values = np.empty((height, len(names), width), "<f4")
    for offset in np.frombuffer(data, "<u8", height, at + 1).tolist():
        row, size = struct.unpack_from("<2i", data, offset)  # in front of the row itself
        assert size == 4 * width * len(names), "not one uncompressed row"
        values[row - top] = np.frombuffer(data, "<f4", size // 4, offset + 8).reshape(-1, width)
    return {name: values[:, index] for index, name in enumerate(names)}


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _channels(data: bytes) -> list[str]:
    names, at = [], 0
    while data[at]:
        name, at = _text(data, at)
        assert struct.unpack_from("<i", data, at)[0] == FLOAT, name
        names.append(name)
        at += 16
    return names
