# SPDX-License-Identifier: Apache-2.0
"""What each place of a head is made of, as far as gloss and relief go.

Does not know light. The numbers are our own, chosen by eye; nothing here was measured on a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rome_backend.core.types import F32, F64, U8, HeadModel, Mask
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import palette_of, region_texels

_SOFT = 0.006  # m over which one material gives way to another
_MIDDLE = 0.035  # m to either side of the middle that shines on a forehead
_LIKE = (0.35, 0.7)  # of the texels round a vertex that look like skin: none of it skin, all of it


@dataclass(frozen=True)
class _Material:
    """relief (m) per unit of the logarithm of brightness; roughness 0..1; polish: how much smoother
    a bright spot is, per unit of that logarithm."""

    relief: float
    roughness: float
    polish: float

    def row(self) -> F64:
        return np.array([self.relief, self.roughness, self.polish])


_SKIN = _Material(1.2e-3, 0.52, 0.5)
_OILY = _Material(1.2e-3, 0.43, 0.5)  # nose and middle of the forehead
_LIPS = _Material(8.0e-4, 0.36, 0.3)
_LIDS = _Material(5.0e-4, 0.46, 0.3)
_HAIR = _Material(8.0e-4, 0.46, 0.35)
_CLOTH = _Material(8.0e-4, 0.85, 0.2)
_INNER = {
    "mouth_inside": _Material(2.0e-4, 0.4, 0.2),
    "gums": _Material(2.0e-4, 0.3, 0.2),
    "tongue": _Material(4.0e-4, 0.38, 0.2),
    "teeth": _Material(0.0, 0.2, 0.0),
    "left_eyeball": _Material(0.0, 0.12, 0.0),
    "right_eyeball": _Material(0.0, 0.12, 0.0),
}


@dataclass(frozen=True)
class SurfaceMaterials:
    """relief (V,) m per unit of the logarithm of brightness; roughness (V,) 0..1; polish (V,):
    what is taken from the roughness per unit of that logarithm. All f64."""

    relief: F64
    roughness: F64
    polish: F64


def materials_of(head: HeadModel, atlas: Atlas, albedo: U8) -> SurfaceMaterials:
    """Tell materials by region and by whether a texture (T, T, 3) u8 looks like skin there.

    atlas: of the head, of any size.
    """
    fill = MeshFill(head)
    count = len(head.template)
    names = ("hair", "neck", "lips", "nose", "forehead", "eyes", "face")
    masks = np.stack([_mask(head, name) for name in names], 1).astype(np.float64)
    soft = fill.fill(np.zeros(masks.shape), np.zeros(count), masks, _SOFT).clip(0, 1)
    hair, neck, lips, nose, forehead, eyes, face = soft.T
    other = 1 - _skin_like(head, atlas, albedo)
    middle = np.exp(-((head.template[:, 0].astype(np.float64) / _MIDDLE) ** 2))
    out = np.tile(_SKIN.row(), (count, 1))
    hairy = np.maximum(hair, face * (1 - lips) * (1 - eyes)) * other
    for material, share in (
        (_OILY, np.maximum(nose, forehead * middle)),
        (_LIDS, eyes),
        (_LIPS, lips),
        (_HAIR, hairy),
        (_CLOTH, neck * (1 - hair) * other),
    ):
        out += share[:, None] * (material.row() - out)
    for name, material in _INNER.items():
        out[_mask(head, name)] = material.row()
    return SurfaceMaterials(*out.T.copy())


def _mask(head: HeadModel, name: str) -> Mask:
    nothing = np.zeros(len(head.template), bool)
    if name == "eyes":
        return _mask(head, "left_eye_region") | _mask(head, "right_eye_region")
    return head.regions.get(name, nothing)


def _skin_like(head: HeadModel, atlas: Atlas, albedo: U8) -> F64:
    """How far each vertex (V,) has the colour of skin."""
    side = (atlas.size, atlas.size)
    small = cv2.resize(albedo, side, interpolation=cv2.INTER_AREA)
    colour: F32 = small.reshape(-1, 3)[atlas.texel].astype(np.float32)
    shown = np.ones(len(colour), np.float32)
    points = atlas.spread(head.template)
    palette = palette_of(colour, shown, points, region_texels(head, atlas))
    like, known = atlas.gather(palette.skin_likeness[:, None], shown)
    t = np.clip((like[:, 0] - _LIKE[0]) / (_LIKE[1] - _LIKE[0]), 0, 1)
    return np.where(known > 0, t * t * (3 - 2 * t), 1.0).astype(np.float64)
