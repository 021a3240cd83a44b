# SPDX-License-Identifier: Apache-2.0
"""Teeth, gums, tongue and the mouth's inside in plain colours, and lips without a smile's teeth.

Does not know the photo, only texel colours and how far they are trusted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import to_lab

PARTS = ("mouth_inside", "teeth", "gums", "tongue")
# sRGB in light in which skin has a brightness of 165; the bag is as dark as an open mouth is.
_COLOURS = np.array([[69, 35, 33], [229, 218, 199], [186, 110, 108], [178, 96, 94]], np.float32)
_FULL_LIGHT, _LEAST_LIGHT = 165.0, 0.55
_DEPTH = 0.026  # m behind the front teeth at which the mouth is darkest
_DARKEST = np.array([0.0, 0.55, 0.6, 0.6], np.float32)  # taken off there, by part
_LEAST = 150  # texels of lips that mean something
_SPREAD = np.array([6.0, 4.0, 4.0])  # CIE Lab, least standard deviation of lips


def painted_mouth(
    head: HeadModel, atlas: Atlas, regions: Mapping[str, F32], skin: F32, folds: F64
) -> tuple[F32, NDArray[np.int64]]:
    """Return the colours (Q, 3) of all texels inside the mouth and their indices (Q,).

    regions: masks (P,) on the texels; skin: (3,) mean skin colour, which tells the light;
    folds (V,): brightness by shape, under 1 between teeth.
    """
    shares = np.stack([regions[name] for name in PARTS], -1)
    texels = np.flatnonzero(shares.sum(1) > 0.5)
    shares = np.clip(5 * shares[texels] - 2, 0, 1)  # the gum line is sharp
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-6)
    light = np.clip(float(skin.mean()) / _FULL_LIGHT, _LEAST_LIGHT, 1)
    mix = atlas.mix[texels]
    z = mix @ head.template[:, 2]
    inside = regions["teeth"][texels] > 0.5
    front = float(z[inside].max()) if inside.any() else float(z.max(initial=0))
    deep = np.clip((front - z) / _DEPTH, 0, 1)[:, None]
    parts = _COLOURS * light * (1 - deep[..., None] * _DARKEST[:, None])
    colour = (shares[..., None] * parts).sum(1) * (mix @ folds.astype(np.float32))[:, None]
    return colour.astype(np.float32), texels


def lips_alone(
    head: HeadModel, atlas: Atlas, fill: MeshFill, colour: F32, trust: F32, lips: F32
) -> F32:
    """Return the colours (P, 3) with teeth and gaps that a smile left on the lips painted over.

    What is much brighter and less red, or much darker, than most of the lips continues the rest.
    """
    sure = (lips > 0.6) & (trust > 0.3)
    if sure.sum() < _LEAST:
        return colour
    near = np.flatnonzero(lips > 0.02)
    lab = to_lab(colour[near])
    own = lab[sure[near]]
    middle = np.median(own, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(own - middle), axis=0), _SPREAD)
    away = (lab - middle) / spread
    tooth = np.clip(away[:, 0] - 1.2, 0, 1) * np.clip(-away[:, 1] - 0.5, 0, 1)
    gap = np.clip(-away[:, 0] - 2.5, 0, 1)
    foreign = np.zeros(len(colour), np.float32)
    foreign[near] = np.clip(2 * np.maximum(tooth, gap), 0, 1) * np.clip(2 * lips[near], 0, 1)
    values, known = atlas.gather(colour, trust * lips * (1 - foreign))
    known = np.clip(known / max(float(np.quantile(known[known > 0], 0.5)), 1e-3), 0, 1)
    rest = np.median(colour[sure & (foreign < 0.1)], axis=0)
    smooth = atlas.spread(fill.fill(values, known, rest, 0.01))
    out: F32 = colour + foreign[:, None] * (smooth - colour)
    return out.astype(np.float32, copy=False)
