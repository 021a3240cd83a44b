# SPDX-License-Identifier: Apache-2.0
"""A baked texture at several times its size, with the photo's own detail where it was seen.

Does not know how it was baked. Keeps memory low: a 4K texture is made from a 2K one by rows.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rome_backend.core.camera import project
from rome_backend.core.types import F32, U8, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.seams import closed_seams
from rome_backend.texture.view import TextureView

_BAND = 256  # rows of the small texture at a time
_MARGIN = 8  # rows more, so that bands do not show
_SURE = 60.0  # confidence from which the photo's detail counts whole


def enlarged(
    head: HeadModel,
    atlas: Atlas,
    view: TextureView,
    albedo: U8,
    confidence: U8,
    factor: int,
    check: Callable[[], None] = lambda: None,
) -> tuple[U8, U8]:
    """Return albedo (k T, k T, 3) u8 and confidence (k T, k T) u8, k times as large.

    What the photo shows beyond the small texture's resolution is added in proportion to the
    confidence; the rest is interpolated; both sides of every UV seam agree.

    Args:
        atlas: of the small texture; view: the photo it was taken from, the first of several.
        albedo (T, T, 3) u8, padded; confidence (T, T) u8; factor: k.
        check: called between bands.
    """
    size = atlas.size * factor
    px = project(view.camera, view.vertices)[:, :2] + view.landmark_shift
    px = np.where(np.isfinite(px), px, -1e4)
    place = atlas.image(atlas.spread(px))
    rim = np.ones((3, 3), np.uint8)
    inner = cv2.erode(atlas.covered.astype(np.uint8), rim, iterations=2)
    share = np.clip(confidence / np.float32(_SURE), 0, 1) * inner
    out = np.empty((size, size, 3), np.uint8)
    for start in range(0, atlas.size, _BAND):
        check()
        low, high = max(0, start - _MARGIN), min(atlas.size, start + _BAND + _MARGIN)
        band = _band(view.rgb, albedo[low:high], place[low:high], share[low:high], factor)
        stop = min(start + _BAND, atlas.size)
        out[start * factor : stop * factor] = band[(start - low) * factor :][
            : (stop - start) * factor
        ]
    covered = cv2.resize(
        atlas.covered.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST
    )
    out = closed_seams(head, out, covered > 0)
    return out, cv2.resize(confidence, (size, size), interpolation=cv2.INTER_LINEAR)


def _band(rgb: U8, albedo: U8, place: F32, share: F32, factor: int) -> U8:
    """Rows of the large texture (k R, k T, 3) u8 from rows of the small one."""
    large = (albedo.shape[1] * factor, albedo.shape[0] * factor)
    colour = cv2.resize(albedo, large, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    if not share.any():
        return colour.astype(np.uint8)
    at = cv2.resize(place, large, interpolation=cv2.INTER_LINEAR) - np.float32(0.5)
    fine = cv2.remap(rgb, at, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    coarse = cv2.resize(fine, albedo.shape[1::-1], interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(coarse, large, interpolation=cv2.INTER_CUBIC)
    detail = fine.astype(np.float32) - coarse
    colour += cv2.resize(share, large, interpolation=cv2.INTER_LINEAR)[..., None] * detail
    return np.clip(colour + 0.5, 0, 255).astype(np.uint8)
