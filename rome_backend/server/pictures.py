# SPDX-License-Identifier: Apache-2.0
"""A head's texture as the add-on sends it: pixels, or the PNG that lies in the .blend.

Does not know messages' ways or what a texture is for.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from rome_backend.core.errors import FileInvalid
from rome_backend.core.messages import SetSurface
from rome_backend.core.types import U8

LARGEST_SIDE = 8192
MODES = ("RGB", "RGBA")


def albedo_of(message: SetSurface) -> U8:
    """Return a surface's texture (H, W, 3) u8 sRGB, top row first.

    Raises FileInvalid (`surface_invalid`) for a file that is no whole PNG of 8-bit RGB or RGBA
    with sides up to LARGEST_SIDE px.
    """
    if message.albedo is not None:
        return message.albedo
    assert message.albedo_png is not None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a bomb is a warning at first
            picture = Image.open(io.BytesIO(message.albedo_png.tobytes()), formats=("PNG",))
            sized = max(picture.size) <= LARGEST_SIDE
            if picture.mode not in MODES or not sized:
                raise _invalid(f"it is {picture.mode} of {picture.size} px")
            return np.asarray(picture)[..., :3]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise _invalid("it is damaged") from error


def _invalid(reason: str) -> FileInvalid:
    return FileInvalid(
        "surface_invalid", f"A head's texture cannot be read: {reason}.",
        "Bake the texture again, or save it as a PNG of 8 bits.",
    )  # fmt: skip
