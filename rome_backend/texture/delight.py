# SPDX-License-Identifier: Apache-2.0
"""Takes the smooth part of a photo's shading out of the skin.

Does not know where the light was: it is fitted to the colours themselves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.core.types import F32, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.palette import region_texels
from rome_backend.texture.unproject import SeenTexels

_STRENGTH, _LIMIT = 0.6, 0.35
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def without_light(head: HeadModel, atlas: Atlas, seen: SeenTexels) -> SeenTexels:
    """Divide the face by a fitted low-order light.

    The logarithm of luminance over the normal, six spherical-harmonic terms, fitted robustly to
    the frontally seen face (the prototype's method); 60 % of it is removed, at most 35 %.
    """
    regions = region_texels(head, atlas)
    face = (regions["hair"] < 0.5) & (regions["neck"] < 0.5) & (seen.weight > 0.5)
    if face.sum() < 500:
        return seen
    basis = _harmonics(seen.normal)
    step = max(1, int(face.sum()) // 20000)
    rows, target = basis[face][::step], np.log(seen.colour[face][::step] @ _LUMINANCE + 5)
    weights = np.ones(len(target))
    for _ in range(4):
        terms = np.linalg.lstsq(rows * weights[:, None], target * weights, rcond=None)[0]
        weights = 1 / (1 + ((target - rows @ terms) / 0.25) ** 2)
    light = basis @ terms - np.median(rows @ terms)
    gain = np.exp(np.clip(_STRENGTH * light, -_LIMIT, _LIMIT))
    skin = np.clip(1 - regions["hair"] - regions["neck"], 0, 1)
    gain = 1 + (gain - 1) * skin
    colour = np.clip(seen.colour / gain[:, None], 0, 255).astype(np.float32)
    return replace(seen, colour=colour)


def _harmonics(normal: F32) -> F32:
    x, y, z = normal.T
    return np.stack([np.ones_like(x), x, y, z, x * y, x * x - y * y], -1)
