# SPDX-License-Identifier: Apache-2.0
"""Reads the few image files that Pillow refuses but OpenCV reads: float TIFF and Radiance HDR.

Does not know faces; its pixel count comes from the header before anything is decoded.
"""

from __future__ import annotations

import re
import struct

import cv2
import numpy as np

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8
from rome_backend.tracking.pixel_range import to_eight_bits

_MAXIMUM_PIXELS = 24_000_000
_WIDTH_TAG, _HEIGHT_TAG = 256, 257
_TIFF_NUMBERS = {3: "H", 4: "I"}
_HDR_SIZE = re.compile(rb"\n[-+]Y (\d{1,6}) [-+]X (\d{1,6})\n")


def decode_with_opencv(data: bytes, name: str, max_pixels: int) -> U8:
    """Return rgb (H, W, 3) u8 of a TIFF or HDR file; other content is refused unread.

    Raises:
        PhotoRefused: 'photo_unreadable', or 'photo_too_large' above `max_pixels` or 24 million.
    """
    size = _header_size(data)
    if size is None:
        raise _unreadable(name)
    if size[0] * size[1] > min(max_pixels, _MAXIMUM_PIXELS):
        raise PhotoRefused(
            "photo_too_large",
            f"{name} has too many pixels for this kind of file.",
            "Save it as an 8-bit JPEG or PNG.",
        )
    try:
        flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _unreadable(name) from error
    if image is None:
        raise _unreadable(name)
    eight = to_eight_bits(np.asarray(image))
    return np.ascontiguousarray(eight[..., ::-1])


def _header_size(data: bytes) -> tuple[int, int] | None:
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff_size(data)
    if data[:10] in (b"#?RADIANCE", b"#?RGBE\n"):
        found = _HDR_SIZE.search(data, 0, 4096)
        return (int(found[2]), int(found[1])) if found else None
    return None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a TIFF's first directory (TIFF 6.0, section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        found = {}
        for index in range(count):
            place = start + 2 + 12 * index
            tag, kind, _ = struct.unpack_from(order + "HHI", data, place)
            if tag in (_WIDTH_TAG, _HEIGHT_TAG) and kind in _TIFF_NUMBERS:
                found[tag] = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, place + 8)[0]
    except struct.error:
        return None
    if _WIDTH_TAG not in found or _HEIGHT_TAG not in found:
        return None
    return found[_WIDTH_TAG], found[_HEIGHT_TAG]


def _unreadable(name: str) -> PhotoRefused:
    return PhotoRefused(
        "photo_unreadable",
        f"{name} is damaged or no picture.",
        "Choose another photo, or save this one again as JPEG or PNG.",
    )
