# SPDX-License-Identifier: Apache-2.0
"""Invented people: identity, hair and neck offsets, and a texture that says what is what.

Does not know cameras, light or expressions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, U8, HeadModel
from rome_backend.open_head.hair import draw_hair, hair_offsets
from rome_backend.open_head.neck_shapes import neck_offsets
from rome_backend.open_head.offset_region import offset_regions
from rome_backend.open_head.scalp import build_scalp
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.examples import plain_hair
from rome_backend.texture.flow import hair_flow
from rome_backend.texture.layers import crevices
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.mouth import painted_mouth
from rome_backend.texture.padding import padded
from rome_backend.texture.palette import region_texels
from rome_backend.texture.synthesis import synthesised
from training.data.synthetic.noise import smooth_field, smooth_step
from training.data.synthetic.skin import Skin, draw_skin, eye_colours, skin_colours

LABELS = ("nothing", "face", "ears", "neck", "cloth", "hair")
_HAIR = np.array(
    [[22, 19, 19], [44, 31, 25], [74, 50, 36], [116, 84, 58], [186, 152, 108], [132, 66, 38],
     [146, 144, 144], [214, 208, 200]],
    np.float64,
)  # fmt: skip
_HAIR_SHARES = (0.26, 0.22, 0.16, 0.1, 0.08, 0.06, 0.08, 0.04)
_THIN, _THICK = 0.0008, 0.0025  # m of hair under which skin shows, over which it does not
_PIECE = (0.004, 0.014)


@dataclass(frozen=True)
class Person:
    """shape (S,) f64; offsets (V, 3) f64 m; albedo (T, T, 3) u8 sRGB; labels (T, T) u8: places
    in LABELS; shine: how much the skin gleams, 0..1."""

    shape: F64
    offsets: F64
    albedo: U8
    labels: U8
    shine: float


class PersonMaker:
    """Draws people on one head model; what is common to all of them is worked out once."""

    def __init__(self, head: HeadModel, texture_side: int = 512) -> None:
        self.head = head
        self._atlas = atlas_of(head, texture_side)
        self._regions = region_texels(head, self._atlas)
        self._scalp = build_scalp(head, head.template.astype(np.float64))
        self._hair, self._neck = offset_regions(head)
        self._crevices, self._fill = crevices(head), MeshFill(head)

    def draw(self, random: np.random.Generator) -> Person:
        """Return a person; the same state of ``random`` gives the same one."""
        shape = np.clip(random.normal(0, 0.9, self.head.shape_dirs.shape[-1]), -2.5, 2.5)
        offsets = np.zeros(self.head.template.shape)
        offsets[self._hair.vertices] = hair_offsets(self._scalp, draw_hair(random, 1))[0]
        offsets[self._neck.vertices] = neck_offsets(self._neck, random, 1)[random.integers(2)]
        albedo, labels = self._texture(random, offsets)
        return Person(shape, offsets, albedo, labels, random.uniform(0.1, 0.7))

    def _texture(self, random: np.random.Generator, offsets: F64) -> tuple[U8, U8]:
        atlas, skin = self._atlas, draw_skin(random)
        tone = _HAIR[random.choice(len(_HAIR), p=_HAIR_SHARES)] * random.normal(1, 0.08, 3)
        tone = np.clip(tone, 8, 240)
        colour = skin_colours(random, skin, self.head, atlas, self._regions, 0.75 * tone)
        colour *= atlas.spread(self._crevices)[:, None]
        labels = np.where(self._regions["ears"] > 0.5, 2, 1).astype(np.uint8)
        labels[self._regions["neck"] > 0.5] = 3
        self._paint_hair(random, offsets, tone, colour, labels)
        self._paint_cloth(random, colour, labels)
        self._paint_inside(random, skin, colour)
        values = (np.clip(colour, 0, 255) + 0.5).astype(np.uint8)
        return padded(atlas, values), padded(atlas, labels[:, None])[..., 0]

    def _paint_hair(
        self, random: np.random.Generator, offsets: F64, tone: F64, colour: F32, labels: U8
    ) -> None:
        """Put strands on the texels (P,) where hair is thick enough; thin hair lets skin show."""
        atlas = self._atlas
        surface = self.head.template + offsets
        thickness = atlas.spread(np.linalg.norm(offsets, axis=1)) * self._regions["hair"]
        points = atlas.spread(self.head.template)
        ragged = np.clip(1 + 0.35 * smooth_field(random, points, 0.004), 0.4, None)
        share = smooth_step(thickness * ragged, _THIN, _THICK)
        if thickness.max() < _THIN:  # bald or shaved
            share = share + random.uniform(0, 0.45) * smooth_step(self._regions["hair"], 0.4, 1)
        wanted = np.flatnonzero(share > 0.02)
        if not len(wanted):
            return
        normals = atlas.spread(vertex_normals(surface, self.head.faces))[wanted]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        places = atlas.spread(surface)[wanted].astype(np.float32)
        centre = self.head.template[self.head.regions["hair"]].mean(0).astype(np.float64)
        seed = int(random.integers(1 << 31))
        contrast = random.uniform(0.08, 0.2), random.uniform(0.06, 0.2)
        detail = synthesised(
            plain_hair(seed, *contrast), places, hair_flow(places, normals, centre), normals,
            atlas.texel[wanted], atlas.size, _PIECE, seed,
        )  # fmt: skip
        roots = 1 + random.uniform(-0.25, 0.1) * smooth_field(random, places, 0.08)[:, None]
        hair = tone.astype(np.float32) * np.exp(detail) * np.clip(roots, 0.6, 1.4)
        colour[wanted] += (hair - colour[wanted]) * share[wanted, None]
        labels[share > 0.5] = 5

    def _paint_cloth(self, random: np.random.Generator, colour: F32, labels: U8) -> None:
        """Dress what lies below a collar: plain, striped, checked or blotched."""
        points = self._atlas.spread(self.head.template)
        shoulders = self.head.template[self.head.regions["neck"]]
        low, high = float(shoulders[:, 1].min()), float(shoulders[:, 1].max())
        collar = random.uniform(low + 0.35 * (high - low), low + 0.75 * (high - low))
        opening = random.uniform(0, 0.9) * np.clip(0.05 - np.abs(points[:, 0]), 0, 1)
        dressed = (points[:, 1] < collar - opening * (points[:, 2] > -0.06)) & (labels == 3)
        first, second = random.uniform(8, 240, (2, 3))
        if random.random() < 0.6:
            second = first
        scale = 2 * np.pi / random.uniform(0.008, 0.04)
        kind = random.integers(3)
        pattern = np.sin(scale * points[:, 1]) if kind else smooth_field(random, points, 0.03)
        if kind == 2:
            pattern = pattern * np.sin(scale * points[:, 0])
        share = smooth_step(np.asarray(pattern, np.float32), -0.15, 0.15)[:, None]
        weave = 1 + 0.06 * smooth_field(random, points, 0.0015)[:, None]
        weave = weave * (1 + 0.08 * smooth_field(random, points, 0.03)[:, None])
        cloth = (first + (second - first) * share) * weave
        colour[dressed] = cloth[dressed]
        labels[dressed] = 4

    def _paint_inside(self, random: np.random.Generator, skin: Skin, colour: F32) -> None:
        """Paint eyeballs, teeth, gums, tongue and the mouth's bag."""
        for name in ("left_eyeball", "right_eyeball"):
            found, texels = eye_colours(random, skin, self.head, self._atlas, name)
            colour[texels] = found
        tone = skin.tone.astype(np.float32)
        nothing = (colour, np.zeros(len(colour), np.float32))
        inside, texels = painted_mouth(
            self.head, self._atlas, self._fill, self._regions, tone, nothing, colour
        )
        colour[texels] = inside
