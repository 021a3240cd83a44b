# SPDX-License-Identifier: Apache-2.0
"""The person matte without what may carry the background's colour.

Does not know meshes.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.types import F32, Mask
from rome_backend.texture.view import TextureView

_MARGIN = 2.5e-3  # m of the outline that is never trusted
_DOUBTFUL = 16e-3  # m inside the outline where the background may show through hair
_NEIGHBOURHOOD = 14e-3  # m over which background and person are averaged
_SMALLEST_PX = 5e-5  # m: no photo shows a head finer than that
_SAME, _OTHER = 10.0, 20.0  # Lab distance from the background's colour: surely it, surely not


def person_matte(view: TextureView, metres: float) -> F32:
    """Return (C, C) f32 in [0, 1]: where the photo surely shows the person.

    The matte without its rim, without what lies outside the photo, and, near the rim, without
    pixels that look more like the background beside them than like the person beside them.

    metres: size of a pixel at the head.
    """
    metres = max(metres, _SMALLEST_PX)
    # The crop's own border is no outline of the person.
    matte = np.asarray(view.matte, np.float32) * view.valid
    inner = cv2.erode(matte, _disc(_MARGIN / metres), borderType=cv2.BORDER_REPLICATE)
    inside = cv2.erode(view.valid.astype(np.uint8), np.ones((3, 3)))
    inner = inner * inside * _unlike_background(view, matte, metres)
    return cv2.GaussianBlur(inner, (3, 3), 0)


def _disc(radius: float) -> F32:
    size = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _unlike_background(view: TextureView, matte: F32, metres: float) -> F32:
    """Factors (C, C): 0 for pixels near the outline that are the background's colour."""
    lab = cv2.cvtColor(view.rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    scale = min(1.0, 256 / max(matte.shape))
    small = cv2.resize(lab, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    side = small.shape[1::-1]
    share = cv2.resize(matte, side, interpolation=cv2.INTER_AREA)
    known = cv2.resize(view.valid.astype(np.float32), side, interpolation=cv2.INTER_AREA)
    deep = cv2.erode(share, _disc(_DOUBTFUL * scale / metres), borderType=cv2.BORDER_REPLICATE)
    sigma = _NEIGHBOURHOOD * scale / metres
    behind = _local_mean(small, (share < 0.1) & (known > 0.9), sigma)
    person = _local_mean(small, deep > 0.9, sigma)
    full = matte.shape[1::-1]
    from_behind = _distance(lab, cv2.resize(behind, full))
    from_person = _distance(lab, cv2.resize(person, full))
    doubt = (from_behind < from_person) & (cv2.resize(deep, full) < 0.9)
    return np.where(doubt, np.clip((from_behind - _SAME) / (_OTHER - _SAME), 0, 1), 1.0)


def _local_mean(lab: F32, where: Mask, sigma: float) -> F32:
    """Mean colour of the chosen pixels round each pixel; their whole mean far from all."""
    if not where.any():
        return np.full_like(lab, 1e3)
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), sigma) + 1e-4
    mean = lab[where].mean(0)
    sums = cv2.GaussianBlur((lab - mean) * weight[..., None], (0, 0), sigma)
    return mean + sums / total[..., None]


def _distance(lab: F32, other: F32) -> F32:
    return np.sqrt(((lab - other) ** 2).sum(-1))
