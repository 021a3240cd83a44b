# SPDX-License-Identifier: Apache-2.0
"""Teeth, gums, tongue and the mouth's inside, and lips without a smile's teeth.

Does not know the photo, only texel colours and how far they are trusted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rome_backend.core.types import F32, F64, JOINTS, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.layers import crevices
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import to_lab

PARTS = ("mouth_inside", "teeth", "gums", "tongue")
# sRGB where skin is _SKIN. Teeth are as bright as fair skin and hardly whiter: they lie in shadow.
_COLOURS = np.array([[112, 56, 53], [212, 182, 163], [176, 96, 92], [166, 94, 91]], np.float32)
_SKIN = np.array([215.0, 163.0, 142.0])
_LEAST_LIGHT, _TINT = 0.55, 0.8  # how much of the skin's tint is the light's
_DEPTH = 0.022  # m behind the front teeth at which the mouth is darkest
_DARKEST = np.array([0.5, 0.65, 0.5, 0.35], np.float32)  # taken off there, by part
_LINING = 0.007  # m inwards over which the lips' colour becomes the mouth's
# Along a tooth, m from its edge: the edge lets light through, the root is warm.
_ALONG = np.array([0.0, 0.002, 0.006, 0.011])
_CROWN = np.array([[0.84, 0.85, 0.87], [0.95, 0.95, 0.95], [1, 1, 1], [0.93, 0.88, 0.84]])
_LOWER = 0.86  # light on the lower teeth: it comes from above
_SEEN = 120  # texels of teeth that tell their colour
_TOOTH_LIGHT = (0.6, 1.25)  # of the expected brightness: what else passes for a tooth
_LEAST = 150  # texels of lips that mean something
_SPREAD = np.array([6.0, 4.0, 4.0])  # CIE Lab, least standard deviation of lips


def painted_mouth(
    head: HeadModel,
    atlas: Atlas,
    fill: MeshFill,
    regions: Mapping[str, F32],
    skin: F32,
    seen: tuple[F32, F32],
    around: F32,
) -> tuple[F32, NDArray[np.int64]]:
    """Return the colours (Q, 3) of all texels inside the mouth and their indices (Q,).

    The lining begins with the lips' colour and darkens inwards; teeth have the colour of those
    that the photo shows, or one that suits the light.

    Args:
        regions: masks (P,) on the texels; skin: (3,) mean skin colour, which tells the light;
        seen: colour (P, 3) and weight (P,) of the photo; around (P, 3): the finished colours of
        lips and face.
    """
    shares = np.stack([regions[name] for name in PARTS], -1)
    texels = np.flatnonzero(shares.sum(1) > 0.5)
    if not len(texels):
        return np.zeros((0, 3), np.float32), texels
    shares = np.clip(5 * shares[texels] - 2, 0, 1)  # the gum line is sharp
    shares /= np.maximum(shares.sum(1, keepdims=True), 1e-6)
    mix = atlas.mix[texels]
    parts = np.repeat((_COLOURS * light_of(skin))[None], len(texels), axis=0)
    crowns = mix @ _crowns(head).astype(np.float32)
    parts[:, 1] = _tooth_colour(parts[0, 1], seen, regions["teeth"]) * crowns
    z = mix @ head.template[:, 2]
    inside = regions["teeth"][texels] > 0.5
    front = float(z[inside].max()) if inside.any() else float(z.max(initial=0))
    deep = np.clip((front - z) / _DEPTH, 0, 1)[:, None]
    parts *= 1 - deep[..., None] * _DARKEST[:, None]
    colour = (shares[..., None] * parts).sum(1) * (mix @ crevices(head).astype(np.float32))[:, None]
    lips, near = _lining(head, atlas, fill, regions["lips"], around)
    near = (near[texels] * shares[:, 0])[:, None]
    return (lips[texels] * near + colour * (1 - near)).astype(np.float32), texels


def light_of(skin: F32) -> F64:
    """Return the light (3,), 1 where it is full and white, that skin of a mean colour tells of."""
    ratio = np.maximum(np.asarray(skin, np.float64), 1) / _SKIN
    whole = float(np.asarray(skin).mean() / _SKIN.mean())
    tint = (ratio / whole) ** _TINT
    return np.asarray(np.clip(whole, _LEAST_LIGHT, 1.15) * np.clip(tint, 0.7, 1.3))


def _tooth_colour(expected: F32, seen: tuple[F32, F32], teeth: F32) -> F32:
    """Return the colour (3,) of the middle of a tooth: the photo's, the more the more it shows."""
    colour, weight = seen
    shown = colour[(weight * teeth) > 0.3]
    bright = shown.mean(1) / expected.mean()
    tint = shown / np.maximum(shown.mean(1, keepdims=True), 1) - expected / expected.mean()
    tooth = shown[(bright > _TOOTH_LIGHT[0]) & (bright < _TOOTH_LIGHT[1]) & (tint[:, 0] < 0.18)]
    if not len(tooth):
        return expected
    share = min(1.0, len(tooth) / (4 * _SEEN))
    own = np.quantile(tooth, 0.7, axis=0)
    return np.asarray(expected + share * (own - expected), np.float32)


def _crowns(head: HeadModel) -> F64:
    """Return the shading (V, 3) of teeth along their crowns, 1 elsewhere; lower ones are darker."""
    teeth = head.regions.get("teeth", np.zeros(len(head.template), bool))
    lower = teeth & (head.weights[:, JOINTS.index("jaw")] > 0.5)
    shade = np.ones((len(teeth), 3))
    y = head.template[:, 1].astype(np.float64)
    for row, light in ((teeth & ~lower, 1.0), (lower, _LOWER)):
        if row.any():
            height = y[row] - y[row].min() if light == 1 else y[row].max() - y[row]
            along = [np.interp(height, _ALONG, channel) for channel in _CROWN.T]
            shade[row] = light * np.stack(along, -1)
    return shade


def _lining(
    head: HeadModel, atlas: Atlas, fill: MeshFill, lips: F32, around: F32
) -> tuple[F32, F32]:
    """Return the lips' colours continued inwards (P, 3), and how much of them is seen (P,)."""
    nothing = np.zeros(len(head.template), bool)
    rim = head.regions.get("lips", nothing) & ~head.regions.get("mouth_inside", nothing)
    if not rim.any() or not lips.any():
        return around, np.zeros(len(around), np.float32)
    values, known = atlas.gather(around, lips**2)
    known = np.clip(known / max(float(np.quantile(known[known > 0], 0.5)), 1e-3), 0, 1)
    rest = np.average(values, axis=0, weights=known)
    colour = atlas.spread(fill.fill(values, known, rest, 0.01))
    away = cKDTree(head.template[rim]).query(head.template)[0] / _LINING
    return colour, atlas.spread(np.clip(1 - away, 0, 1) ** 1.5)


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
