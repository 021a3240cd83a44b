# SPDX-License-Identifier: Apache-2.0
"""A photo's lower edge drawn out downwards, so that clothes go on where the photo ends.

Does not know meshes, nor which of it is cloth. Our own.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import median_filter

from rome_backend.core.types import F32, Mask
from rome_backend.texture.atlas import sample_image
from rome_backend.texture.view import TextureView

_RIM = 3  # px of a photo's border that are left out
_EDGE = 0.008  # m above the border that say what goes on
_PART = 0.016  # m: what is narrower is a pattern, what is wider a part of the garment
_SOFT = 0.0015  # m over which one part gives way to the next
_BAND = 0.03  # m above the border whose pattern goes on, mirrored
_COARSE = 0.005  # m: what is slower is no pattern
_OTHER = 0.5  # mean size of the logarithm from which it is another part of the garment
_CONTRAST = 0.4  # largest logarithm of the pattern
_SETTLED = 0.006  # m below the border over which what is no pattern ends
_DARK = 8.0  # of 255, so that black has a logarithm
_OVERLAP = 0.008  # m
_FADES = (0.10, 0.20)  # m below a photo over which it ceases to go on


def drawn_out(view: TextureView, metres: float) -> tuple[F32, float]:
    """Return the photo (C, C, 3) f32 with its clothes going on below its last row, and that row.

    Repeated rows would be vertical bars. Instead each part of the garment goes on in its mean
    colour, and its pattern, all that is finer, is the mirror image of what lies above the border.
    The row is infinite for photos that reach to the crop's end. metres: size of a pixel.
    """
    rgb = view.rgb.astype(np.float32)
    rows = np.flatnonzero(view.valid.any(1))
    if not len(rows) or rows[-1] + 1 == len(rgb):
        return rgb, float("inf")
    last = max(int(rows[-1]) - _RIM, 0)
    top = int(rows[0])
    person = cv2.erode(view.matte, np.ones((5, 5)))
    edge = slice(max(last - round(_EDGE / metres), top), last + 1)
    base = _parts(rgb[edge], person[edge].min(0) > 0.9, metres)
    band = min(max(round(_BAND / metres), 1), last - top)
    whole = np.log((rgb[last - band : last + 1] + _DARK) / (base + _DARK))
    whole *= person[last - band : last + 1, :, None]
    away = np.arange(1, len(rgb) - last)
    mirrored = np.abs((away - 1) % max(2 * band, 1) - band)
    settled = np.clip(away * metres / _SETTLED, 0, 1)[:, None, None]
    pattern = whole[mirrored] * (1 - settled) + _fine(whole, metres)[mirrored] * settled
    rgb[last + 1 :] = (base + _DARK) * np.exp(pattern) - _DARK
    return np.clip(rgb, 0, 255), float(last)


def _fine(pattern: F32, metres: float) -> F32:
    """The pattern (R, C, 3) without what is no pattern: a knot, a necklace, a part's edge."""
    sigma = max(_COARSE / metres, 0.5)
    coarse = cv2.GaussianBlur(pattern, (0, 0), sigma)
    other = cv2.GaussianBlur(np.abs(pattern).max(-1), (0, 0), sigma)[..., None]
    fine = (pattern - coarse) / (1 + (other / _OTHER) ** 4)
    return np.asarray(_CONTRAST * np.tanh(fine / _CONTRAST), np.float32)


def _parts(rows: F32, person: Mask, metres: float) -> F32:
    """The colour (1, C, 3) of the parts that rows (R, C, 3) show: constant, with soft borders.

    Columns beside the person (C,) have the nearest one's colour, so that no background gets in.
    """
    column = np.median(rows, axis=0)
    if person.any():
        own = np.flatnonzero(person)
        middles = (own[1:] + own[:-1]) / 2
        column = column[own[np.searchsorted(middles, np.arange(len(person)))]]
    width = max(round(_PART / metres), 1)
    steady = median_filter(column[None], (1, width, 1), mode="nearest")
    return np.asarray(cv2.GaussianBlur(steady, (0, 0), max(_SOFT / metres, 0.5)), np.float32)


def below(view: TextureView, x: F32, y: F32, last: float, metres: float) -> F32:
    """How far texels at px (x, y) lie below the photo and below the person in it (P,)."""
    away = (y - last) * metres
    begins = np.clip(away / _OVERLAP + 1, 0, 1)  # where what is seen already fades out
    fades = np.clip((_FADES[1] - away) / (_FADES[1] - _FADES[0]), 0, 1)
    at = np.minimum(y - 0.5, last).astype(np.float32)
    person = (view.matte * view.valid).astype(np.float32)[..., None]
    return begins * fades * np.clip(4 * sample_image(person, x - 0.5, at)[:, 0] - 3, 0, 1)
