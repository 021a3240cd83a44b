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
_ON_CLOTH = (8.0, 18.0)  # the same on shoulders
_TINT = (8.0, 14.0)  # of a and b from what is usual: fair, the background's light
_SHADED = -12.0  # of lightness: what is darker is hair or a shadow, whatever its tint
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
    """How far texels (P,) seen at a slant are much lighter than skin or hair, or no tint of skin's.

    A light behind the person, a window at the side or the background's own light lie on the head's
    outline; drawn out over its side they would be white patches. A shadowed side stays as it is:
    taken away at a slant only, it would end in a pale rim. Frontally seen texels, the neck and
    collars are left alone; shoulders are compared with the clothes in front of them.

    Args:
        cheeks: (P,) bool, texels with neither beard nor fringe, if they belong to the face.
        seen: colour (P, 3) sRGB 0..255 and weight (P,); regions: masks on the texels.
    """
    colour, weight = seen
    lab = to_lab(colour)
    skin = 1 - np.clip(regions["hair"] + regions["neck"], 0, 1)
    slant = _ramp(-weight, -_GRAZING[0], -_GRAZING[1])
    found = np.clip(4 * regions["hair"] - 3, 0, 1) * _ramp(
        lab[:, 0] - palette.hair.mean[0], *_ON_HAIR
    )
    sure = (weight > _FRONTAL) * skin * palette.skin_likeness * cheeks
    if (sure > 0.5).sum() > _LEAST:
        away = lab - _usual(atlas, fill, lab, sure)
        tinted = _ramp(np.hypot(away[:, 1], away[:, 2]), *_TINT) * (away[:, 0] > _SHADED)
        found = np.maximum(found, skin * np.maximum(_ramp(away[:, 0], *_ON_SKIN), tinted))
    garment = (weight > _FRONTAL) * regions["neck"] * (1 - palette.skin_likeness)
    if (garment > 0.5).sum() > _LEAST:
        lighter = lab[:, 0] - _usual_garment(atlas, fill, lab[:, :1], garment)
        found = np.maximum(found, regions["shoulders"] * _ramp(lighter, *_ON_CLOTH))
    return slant * found


def _usual_garment(atlas: Atlas, fill: MeshFill, lightness: F32, garment: F32) -> F32:
    """Lightness (P,) of clothes near each texel, by those that are seen well."""
    values, known = atlas.gather(lightness, garment)
    typical = max(float(np.quantile(known[known > 0], 0.5)), 1e-3)
    rest = np.median(lightness[garment > 0.5], axis=0, keepdims=True)
    known = np.clip(known / typical, 0, 1)
    return atlas.spread(fill.fill(values, known, rest, _REACH)[:, 0])


def _usual(atlas: Atlas, fill: MeshFill, lab: F32, sure: F32) -> F32:
    """CIE Lab (P, 3) of skin near each texel, by those that are sure to show it."""
    middle = np.median(lab[sure > 0.5], axis=0)
    values, known = atlas.gather(lab, sure)
    typical = max(float(np.quantile(known[known > 0], 0.5)), 1e-3)
    known = np.clip(known / typical, 0, 1)
    usual = atlas.spread(fill.fill(values, known, middle, _REACH))
    usual[:, 0] = np.minimum(usual[:, 0], middle[0] + _SIDES)
    return usual


def _ramp(values: F32, low: float, high: float) -> F32:
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
