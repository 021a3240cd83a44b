# SPDX-License-Identifier: Apache-2.0
"""Encodes a rig's textures for files that carry or accompany them.

Does not know meshes.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from rome_backend.core.types import U8

JPEG_QUALITY = 95


def png_bytes(pixels: U8) -> bytes:
    """Return (H, W, 3) or (H, W) u8 as a PNG."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg_bytes(rgb: U8) -> bytes:
    """Return (H, W, 3) u8 as a JPEG of high quality with full colour resolution."""
    buffer = BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
