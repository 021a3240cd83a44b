# SPDX-License-Identifier: Apache-2.0
"""Takes the smooth part of a photo's shading out of the skin.

Does not know where the light was: it is fitted to the colours themselves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.core.types import F32, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import region_texels
from rome_backend.texture.unproject import SeenTexels

_STRENGTH, _LIMIT = 0.6, 0.35
_SOFT = 0.02  # m over which it ends
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def without_light(head: HeadModel, atlas: Atlas, seen: SeenTexels) -> SeenTexels:
    """Divide the face by a fitted low-order light.

    The logarithm of luminance over the normal, six spherical-harmonic terms, fitted robustly to
    the frontally seen face (the prototype's method); 60 % of it is removed, at most 35 %;
    it fades out towards hair and neck.
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
    gain = 1 + (gain - 1) * _bare(head, atlas)
    colour = np.clip(seen.colour / gain[:, None], 0, 255).astype(np.float32)
    return replace(seen, colour=colour)


def _bare(head: HeadModel, atlas: Atlas) -> F32:
    """How far texels (P,) belong to the face; it ends softly on the neck, below a beard too."""
    other = np.stack([head.regions["hair"], head.regions["neck"]], 1).astype(np.float64)
    count = len(other)
    soft = MeshFill(head).fill(np.zeros((count, 2)), np.zeros(count), other, _SOFT)
    hair, neck = np.maximum(other * [1, 0], soft).T
    return atlas.spread(np.clip(1 - hair - neck, 0, 1))


def _harmonics(normal: F32) -> F32:
    x, y, z = normal.T
    return np.stack([np.ones_like(x), x, y, z, x * y, x * x - y * y], -1)
