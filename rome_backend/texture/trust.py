# SPDX-License-Identifier: Apache-2.0
"""Which texels belong to hair, and which of them show what they should.

Does not know photos or cameras, only texel colours and weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F32, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.cloth import stray_on_neck
from rome_backend.texture.palette import Palette

_HANGING = -0.02  # m: below this height, the eyes' being 0, hair hangs beside the face
_DRAWN_OUT = 3.0  # times its length: an edge that hair has pulled away from its root
_APART = 12.0  # squared distance from which hair is no skin colour


def trusted(
    head: HeadModel,
    atlas: Atlas,
    vertices: NDArray[np.floating],
    weight: F32,
    regions: Mapping[str, F32],
    palette: Palette,
) -> F32:
    """Return the weight (P,) without texels that show something else than what lies there.

    Left out: what is neither skin nor hair on the scalp, the more so at its outline; what is no
    skin on ears; earrings and hair on the neck; skin where hair hangs. vertices (V, 3) m: the head
    with its hair; weight (P,): how well the photo shows.
    """
    bare = palette.skin_likeness
    trust = weight * (1 - palette.foreign * regions["hair"])
    trust *= 1 - np.clip(1.2 - 1.5 * bare, 0, 1) * regions["ears"]
    trust *= 1 - stray_on_neck(head, atlas, trust, bare, regions["neck"])
    grazing = np.clip((0.7 - weight) / 0.3, 0, 1) * np.clip(4 * regions["hair"] - 3, 0, 1)
    unlike = np.clip((0.95 - np.maximum(bare, palette.hair_likeness)) / 0.3, 0, 1)
    trust *= 1 - grazing * unlike
    trust *= 1 - _skin_in_hair(atlas, vertices, regions["hair"], palette)
    return trust


def with_hair_where_it_lies(
    head: HeadModel,
    atlas: Atlas,
    vertices: NDArray[np.floating],
    seen: tuple[F32, F32],
    regions: Mapping[str, F32],
    palette: Palette,
) -> dict[str, F32]:
    """Return the regions (P,) each: ears under hair and hair's hanging sheets belong to the hair.

    vertices (V, 3) m: the head with its hair; seen: colour (P, 3) and weight (P,).
    """
    colour, weight = seen
    regions = _hair_over_ears(regions, palette, colour, weight)
    return _hair_to_its_hem(head, atlas, vertices, regions)


def _skin_in_hair(
    atlas: Atlas, vertices: NDArray[np.floating], scalp: F32, palette: Palette
) -> F32:
    """How far texels (P,) of hair that hangs below the eyes show skin: the hair is wider there."""
    apart = palette.hair.distance(palette.skin.mean[None].astype(np.float32))[0]
    if apart < _APART:
        return np.zeros_like(scalp)
    hangs = np.clip((_HANGING - atlas.spread(vertices[:, 1])) / 0.02, 0, 1)
    skin = np.clip(palette.skin_likeness - palette.hair_likeness, 0, 1)
    return hangs * skin * np.clip(4 * scalp - 3, 0, 1)


def _hair_to_its_hem(
    head: HeadModel, atlas: Atlas, vertices: NDArray[np.floating], regions: Mapping[str, F32]
) -> dict[str, F32]:
    """Give what is drawn out between hanging hair and the neck to the hair; returns all regions."""
    faces = head.faces
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1]])
    before, after = (
        np.linalg.norm(at[ends[:, 0]] - at[ends[:, 1]], axis=1)
        for at in (head.template.astype(np.float64), np.asarray(vertices, np.float64))
    )
    hair = head.regions["hair"]
    drawn_out = (after > _DRAWN_OUT * before) & (after > 0.02) & hair[ends[:, 0]]
    reached = np.zeros(len(hair), np.float32)
    reached[ends[drawn_out, 1]] = 1
    reached[head.regions.get("shoulders", np.zeros(len(hair), bool))] = 0  # hair lies on them
    if not (reached > hair).any():
        return dict(regions)
    sheet = atlas.spread(np.maximum(reached, hair))
    return {
        **regions,
        "hair": np.maximum(regions["hair"], sheet),
        "neck": regions["neck"] * (1 - sheet),
        "ears": regions["ears"] * (1 - sheet),
    }


def _hair_over_ears(
    regions: Mapping[str, F32], palette: Palette, colour: F32, weight: F32
) -> dict[str, F32]:
    """Give ears that hair covers in the photo to the hair; returns all regions."""
    ears, scalp = regions["ears"].copy(), regions["hair"].copy()
    sides = (regions["left"], 1 - regions["left"])
    told = [_hair_share(weight * ears * side, ears * side, palette) for side in sides]
    for side, own, other in zip(sides, told, told[::-1], strict=True):
        share = own if own is not None else other
        if share is not None and share > 0.75:
            scalp = np.maximum(scalp, ears * side)
            ears = ears * (1 - side)
    return {**regions, "ears": ears, "hair": scalp}


def _hair_share(shown: F32, ear: F32, palette: Palette) -> float | None:
    """How much of an ear's visible part is not skin; None when too little is visible.

    What is like neither, a light on the ear's rim or an earring, does not count.
    """
    bare = palette.skin_likeness >= 0.3
    shown = shown * (bare | (palette.hair_likeness > 0.1))
    total = float(shown.sum())
    if total < 0.01 * float(ear.sum()) or total == 0:
        return None
    return float((shown * ~bare).sum()) / total
