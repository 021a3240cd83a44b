# SPDX-License-Identifier: Apache-2.0
"""Where a photo shows hard light on the side of a head rather than the head's colour.

Does not know where lights stand, nor what replaces such texels. Our own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rome_backend.core.types import F32, Mask
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import Palette, to_lab

_FRONTAL = 0.6  # weight from which a photo shows skin as it is
_GRAZING = (0.85, 0.45)  # weights between which a texel begins to be looked at askance
_ON_SKIN, _ON_HAIR = (6.0, 14.0), (16.0, 28.0)  # of lightness above what is usual: fair, glare
_REACH = 0.05  # m over which skin well seen tells how light skin is
_SIDES = 6.0  # of lightness by which one side of a face is usually lighter
_LEAST = 200  # texels


def glare(
    atlas: Atlas,
    fill: MeshFill,
    cheeks: Mask,
    seen: tuple[F32, F32],
    regions: Mapping[str, F32],
    palette: Palette,
) -> F32:
    """How far texels (P,) seen at a slant are much lighter than the skin beside them, or than hair.

    A light behind the person, a window at the side or the background's own light lie on the head's
    outline; drawn out over its side they would be white patches. A shadowed side stays as it is:
    taken away at a slant only, it would end in a pale rim. Frontally seen texels, neck and clothes
    are left alone.

    Args:
        cheeks: (P,) bool, texels with neither beard nor fringe, if they belong to the face.
        seen: colour (P, 3) sRGB 0..255 and weight (P,); regions: masks on the texels.
    """
    colour, weight = seen
    lightness = to_lab(colour)[:, :1]
    skin = 1 - np.clip(regions["hair"] + regions["neck"], 0, 1)
    slant = _ramp(-weight, -_GRAZING[0], -_GRAZING[1])
    found = np.clip(4 * regions["hair"] - 3, 0, 1) * _ramp(
        lightness[:, 0] - palette.hair.mean[0], *_ON_HAIR
    )
    sure = (weight > _FRONTAL) * skin * palette.skin_likeness * cheeks
    if sure.sum() > _LEAST:
        usual = _usual(atlas, fill, lightness, sure)
        found = np.maximum(found, skin * _ramp(lightness[:, 0] - usual, *_ON_SKIN))
    return slant * found


def _usual(atlas: Atlas, fill: MeshFill, lightness: F32, sure: F32) -> F32:
    """How light skin is (P,) near each texel, by those that are sure to show it."""
    middle = np.median(lightness[sure > 0.5])
    values, known = atlas.gather(lightness, sure)
    typical = max(float(np.quantile(known[known > 0], 0.5)), 1e-3)
    known = np.clip(known / typical, 0, 1)
    usual = atlas.spread(fill.fill(values, known, np.array([middle]), _REACH))[:, 0]
    return np.minimum(usual, middle + _SIDES)


def _ramp(values: F32, low: float, high: float) -> F32:
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
