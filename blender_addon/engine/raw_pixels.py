# SPDX-License-Identifier: GPL-3.0-or-later
"""An image's pixels as Blender hands them out, and the bytes that they become.

Does not know bpy beyond reading an image, so that the long step may run on any thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import linear_to_srgb

ROW = 1024  # of the 64-bit words that are summed up together
# Odd, so that one word's change always changes its sum; their places tell equal words apart.
WEIGHTS = np.random.default_rng(0).integers(0, 1 << 63, ROW, dtype=np.uint64) * 2 + 1


@dataclass(frozen=True)
class RawPixels:
    """values (H, W, C) f32, bottom row first: linear light if is_float, else sRGB-encoded."""

    values: NDArray[np.float32]
    is_float: bool

    @property
    def side(self) -> int:
        """The longer side, px."""
        return max(self.values.shape[:2])

    def fingerprint(self) -> bytes:
        """Return what differs wherever two images differ, 16 bytes.

        Sums modulo 2^64 take a twentieth of the time of a cryptographic digest of it all, and
        somebody waits for this in front of a viewport.
        """
        flat = self.values.reshape(-1)
        whole = flat.size - flat.size % (2 * ROW)
        words = flat[:whole].view(np.uint64).reshape(-1, ROW)
        content = hashlib.blake2b(repr((self.values.shape, self.is_float)).encode(), digest_size=16)
        content.update(np.einsum("ij,j->i", words, WEIGHTS))
        content.update(flat[whole:])
        return content.digest()

    def encoded(self, step: int = 1) -> NDArray[np.uint8]:
        """Return every step-th pixel of every step-th row (H / step, W / step, 3) u8 sRGB, top
        row first."""
        first = step // 2
        values = self.values[first::step, first::step][::-1, :, :3].copy()
        if self.is_float:
            values = linear_to_srgb(np.clip(values, 0.0, 1.0))
        values *= 255.0
        values += 0.5
        encoded = values.astype(np.uint8)
        if encoded.shape[2] < 3:
            return np.repeat(encoded[..., :1], 3, axis=2)
        return encoded


def raw_pixels(
    image: bpy.types.Image, buffer: NDArray[np.float32] | None = None
) -> RawPixels | None:
    """Return the pixels of an image as they are now, painted ones too; None where it has none.

    buffer: of their count, for the result.
    """
    shape = image.size[1], image.size[0], image.channels
    values = np.empty(pixel_count(image), np.float32) if buffer is None else buffer
    if not values.size:
        return None
    image.pixels.foreach_get(values)
    return RawPixels(values.reshape(shape), image.is_float)


def pixel_count(image: bpy.types.Image) -> int:
    """Return how many values an image has: width x height x channels."""
    return image.size[0] * image.size[1] * image.channels
