# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's albedo image, as the PNG that is packed or as pixels, read when it may have changed.

Does not know heads or the backend.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RomeError, linear_to_srgb
from .packed import is_plain_png

KEPT = 32


@dataclass(frozen=True)
class Texture:
    """pixels (H, W, 3) u8 sRGB, top row first, or a PNG that has them, and a digest of either."""

    digest: bytes
    pixels: NDArray[np.uint8] | None = None
    png: bytes | None = None


_known: OrderedDict[Hashable, Texture] = OrderedDict()
_known_lock = threading.Lock()  # F12 reads on a thread of its own while viewports are drawn


def texture_of(image: bpy.types.Image | None, head: str) -> Texture:
    """Return what an image shows: packed PNGs as they are, for decoding is work for others.

    Raises RomeError `albedo_missing` where there is no image or it cannot be read.
    """
    if image is None:
        raise _missing(head)
    packed = _packed(image)
    if packed is not None and is_plain_png(packed, image.alpha_mode):
        return Texture(_digest(packed), png=packed)
    mark = _mark(image, packed)
    with _known_lock:
        if mark is not None and mark in _known:
            _known.move_to_end(mark)
            return _known[mark]
    pixels = _pixels(image, head)
    texture = Texture(_digest(pixels.tobytes()), pixels)
    with _known_lock:
        if mark is not None:
            _known[mark] = texture
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return texture


def forget_textures() -> None:
    """Read every image again when it is next needed."""
    with _known_lock:
        _known.clear()


def _packed(image: bpy.types.Image) -> bytes | None:
    """Return an image's packed file if it is what the image shows."""
    if image.is_dirty or image.source != "FILE" or image.packed_file is None:
        return None
    return image.packed_file.data


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _mark(image: bpy.types.Image, packed: bytes | None) -> Hashable | None:
    """Return what stays the same as long as the image does; None where nothing says so.

    An image that was painted on since it was saved or packed has no mark: it is read every time.
    """
    if image.is_dirty or image.source != "FILE":
        return None
    colour = image.colorspace_settings.name
    if packed is not None:
        return (colour, _digest(packed))
    try:
        facts = os.stat(bpy.path.abspath(image.filepath, library=image.library))
    except OSError:
        return None
    return (colour, image.filepath, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def _pixels(image: bpy.types.Image, head: str) -> NDArray[np.uint8]:
    width, height = image.size
    channels = image.channels
    if not width or not height or not channels:
        raise _missing(head)
    values = np.empty(width * height * channels, dtype=np.float32)
    image.pixels.foreach_get(values)
    if image.is_float:
        values = linear_to_srgb(np.clip(values, 0.0, 1.0))
    values *= 255.0  # in place: somebody waits for this in front of a viewport
    values += 0.5
    rows = values.astype(np.uint8).reshape(height, width, channels)[::-1]
    if channels < 3:
        return np.repeat(rows[..., :1], 3, axis=2)
    return np.ascontiguousarray(rows[..., :3])


def _missing(head: str) -> RomeError:
    return RomeError(
        "albedo_missing",
        f"The texture of {head} is gone or cannot be read.",
        "Create or load the head again, or undo what removed its Albedo image.",
    )
