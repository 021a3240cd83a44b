# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's albedo image, as the PNG that is packed or as pixels, read when it may have changed.

Does not know heads or the backend.

A final render gets all pixels. A viewport never waits for the conversion of a large image that was
painted on: a thread makes a small texture of it, then the whole one.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RomeError
from .packed import is_plain_png
from .pixel_buffers import PixelBuffers
from .raw_pixels import RawPixels, pixel_count, raw_pixels

KEPT = 32  # of images, the newest pixels of each
SMALL = 1024  # px of the longer side


@dataclass(frozen=True)
class Texture:
    """pixels (H, W, 3) u8 sRGB, top row first, or a PNG that has them, and a digest of either.

    better: comes closer to the image, where these are its pixels of before or not all; None says
    to read the image again.
    """

    digest: bytes
    pixels: NDArray[np.uint8] | None = None
    png: bytes | None = None
    better: Future[Texture | None] | None = None


NOTHING = Texture(b"", np.full((1, 1, 3), 128, np.uint8))  # where nothing was ever shown
_known: OrderedDict[str, tuple[Hashable, Texture]] = OrderedDict()  # by the image's full name
_newest: dict[str, Hashable] = {}  # marks of what was read last, by the image's full name
_lock = threading.Lock()  # F12 reads on a thread of its own while viewports are drawn
_one_at_a_time = threading.Lock()
_buffers = PixelBuffers()


def texture_of(image: bpy.types.Image | None, head: str) -> Texture:
    """Return what an image shows: packed PNGs as they are, for decoding is work for others.

    Raises RomeError `albedo_missing` where there is no image or it cannot be read.
    """
    settled, mark = _settled(image, head)
    if settled is not None:
        return settled
    raw = _raw(image, head)
    name, mark = image.name_full, mark or raw.fingerprint()
    return _recalled(name, mark) or _remembered(name, mark, _converted(raw))


def texture_soon(image: bpy.types.Image | None, head: str) -> Texture:
    """Return what texture_of does, or something at once that has a better one; RomeError as there.

    It takes as long as Blender takes to hand the pixels out.
    """
    settled, mark = _settled(image, head)
    if settled is not None:
        return settled
    if max(image.size) <= SMALL:
        return _converted(_raw(image, head))
    before = _before(image)
    buffer = _buffers.take(pixel_count(image))
    if isinstance(buffer, Future):
        return replace(before, better=buffer)
    better: Future[Texture | None] = Future()
    work = (image.name_full, mark, _raw(image, head, buffer), before, better)
    threading.Thread(target=_improve, args=work, name="rome-texture", daemon=True).start()
    return replace(before, better=better)


def forget_textures() -> None:
    """Read every image again when it is next needed."""
    with _lock:
        _known.clear()
        _newest.clear()


def _improve(
    name: str,
    mark: Hashable | None,
    raw: RawPixels,
    before: Texture,
    better: Future[Texture | None],
) -> None:
    """Make the better texture of an image that shows another, and its better one."""
    small, whole = before, Future[Texture | None]()
    try:
        mark = mark or raw.fingerprint()
        _newest[name] = mark
        known = _recalled(name, mark)
        if known is not None:
            better.set_result(known)
            return
        small = _small(raw)
        better.set_result(replace(small, better=whole))
        with _one_at_a_time:
            if _newest.get(name) == mark:  # else it was painted on meanwhile
                found = _recalled(name, mark) or _remembered(name, mark, _converted(raw))
                whole.set_result(found)
    finally:  # somebody looks whether these are there
        _buffers.give_back(raw.values.reshape(-1))
        for future in (better, whole):
            if not future.done():
                future.set_result(small)


def _before(image: bpy.types.Image) -> Texture:
    """Return what an image showed earlier, as far as anybody knows."""
    with _lock:
        known = _known.get(image.name_full)
    return known[1] if known is not None else _as_packed(image) or NOTHING


def _settled(image: bpy.types.Image | None, head: str) -> tuple[Texture | None, Hashable | None]:
    """Return what is known of an image without its pixels, and its mark."""
    if image is None:
        raise _missing(head)
    if image.is_dirty or image.source != "FILE":
        return None, None
    packed = _as_packed(image)
    if packed is not None:
        return packed, None
    mark = _mark(image)
    return None if mark is None else _recalled(image.name_full, mark), mark


def _raw(
    image: bpy.types.Image, head: str, buffer: NDArray[np.float32] | None = None
) -> RawPixels:
    raw = raw_pixels(image, buffer)
    if raw is None:
        raise _missing(head)
    return raw


def _converted(raw: RawPixels) -> Texture:
    pixels = raw.encoded()
    return Texture(_digest(pixels), pixels)


def _small(raw: RawPixels) -> Texture:
    pixels = raw.encoded(-(-raw.side // SMALL))
    return Texture(_digest(pixels), pixels)


def _recalled(name: str, mark: Hashable) -> Texture | None:
    with _lock:
        found = _known.get(name)
        if found is None or found[0] != mark:
            return None
        _known.move_to_end(name)
        return found[1]


def _remembered(name: str, mark: Hashable, texture: Texture) -> Texture:
    with _lock:
        _known[name] = mark, texture
        _known.move_to_end(name)
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return texture


def _as_packed(image: bpy.types.Image) -> Texture | None:
    """Return an image's packed file, if it is a PNG that shows what Blender does of it."""
    data = None if image.packed_file is None else image.packed_file.data  # a copy, each time
    if data is None or not is_plain_png(data, image.alpha_mode):
        return None
    return Texture(_digest(data), png=data)


def _digest(data: bytes | NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _mark(image: bpy.types.Image) -> Hashable | None:
    """Return what stays the same as long as an image that nobody painted on does; None where
    nothing says so. One that was painted on since it was saved has no mark but its pixels."""
    colour = image.colorspace_settings.name
    if image.packed_file is not None:
        return (colour, _digest(image.packed_file.data))
    try:
        facts = os.stat(bpy.path.abspath(image.filepath, library=image.library))
    except OSError:
        return None
    return (colour, image.filepath, facts.st_mtime_ns, facts.st_size, facts.st_ino)


def _missing(head: str) -> RomeError:
    return RomeError(
        "albedo_missing",
        f"The texture of {head} is gone or cannot be read.",
        "Create or load the head again, or undo what removed its Albedo image.",
    )
