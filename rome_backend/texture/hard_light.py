# SPDX-License-Identifier: Apache-2.0
"""Half of a face in shadow, brought nearer to the lit half.

Does not know where lights stand: it compares each texel with its mirror image. Our own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rome_backend.core.types import F32, Mask
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import to_lab

_HALVES = (12.0, 24.0)  # of lightness: differences of a window's light, of a hard light's
_STRENGTH = 0.75  # of the difference that is taken away in hard light
_LIMIT = 1.2  # of the logarithm of the halves' ratio
_SHADOW = 0.75  # of the change is the shadow's, the rest the lit side's
_TINT = 0.5  # of the change's logarithm: shadows are redder than what lies in light
_REACH = 0.04  # m over which the change ends beyond the face
_SMOOTH = 0.3  # how firmly it holds on the face itself: 1 follows single vertices
_LEAST = 200  # texels of each half
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def evened(
    atlas: Atlas,
    fill: MeshFill,
    cheeks: Mask,
    seen: tuple[F32, F32],
    regions: Mapping[str, F32],
) -> F32:
    """Return the colours (P, 3) with shadow on half of the face lightened, if it is hard.

    A head lit from one side is a picture of that light: seen from its shaded side it would be
    dark, and the fill between both halves neither's. Only smooth differences of brightness
    change, hues and details stay.

    Args:
        cheeks: (P,) bool, texels with neither beard nor fringe, if they belong to the face.
        seen: colour (P, 3) sRGB 0..255 and weight (P,); regions: masks on the texels.
    """
    colour, weight = seen
    skin = np.clip(1 - regions["hair"] - regions["neck"] - regions["lips"], 0, 1)
    strength = _STRENGTH * _hardness(colour, (weight > 0.5) & cheeks & (skin > 0.5), regions)
    if strength <= 0:
        return colour
    grey = np.log(colour @ _LUMINANCE + 8)[:, None]
    other, other_weight = atlas.mirrored(grey, weight * skin)
    own, own_known = atlas.gather(grey, weight * skin)
    mirrored, other_known = atlas.gather(other, other_weight)
    known = np.minimum(own_known, other_known)
    known = np.clip(known / max(float(np.quantile(known[known > 0], 0.5)), 1e-3), 0, 1)
    ratio = np.clip(mirrored - own, -_LIMIT, _LIMIT)
    smooth = atlas.spread(fill.fill(ratio, _SMOOTH * known, np.zeros(1), _REACH)[:, 0])
    change = 0.5 * strength * smooth * np.where(smooth > 0, 2 * _SHADOW, 2 - 2 * _SHADOW)
    light, tint = (np.exp(share * change)[:, None] for share in (1.0, _TINT))
    plain = (colour @ _LUMINANCE)[:, None]
    return np.clip(plain * light + (colour - plain) * tint, 0, 255).astype(np.float32, copy=False)


def _hardness(colour: F32, face: Mask, regions: Mapping[str, F32]) -> float:
    """0 where both halves of the face are about as light .. 1 where one lies in shadow."""
    left = regions["left"] > 0.5
    halves = [face & left, face & ~left]
    if min(int(half.sum()) for half in halves) < _LEAST:
        return 0.0
    light = [float(np.median(to_lab(colour[half])[:, 0])) for half in halves]
    return float(np.clip((abs(light[0] - light[1]) - _HALVES[0]) / (_HALVES[1] - _HALVES[0]), 0, 1))
