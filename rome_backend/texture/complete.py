# SPDX-License-Identifier: Apache-2.0
"""A colour for every texel: the photo, its mirror image, and continuations where both end.

Does not know photos or cameras, only texel colours and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F32, HeadModel, Mask
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.cloth import drawn_out_material
from rome_backend.texture.examples import PhotoSurface
from rome_backend.texture.eyes import complete_eyes
from rome_backend.texture.glare import glare
from rome_backend.texture.hard_light import evened
from rome_backend.texture.layers import layered_fill
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.mirror import mirrored_half
from rome_backend.texture.mouth import PARTS, lips_alone, painted_mouth
from rome_backend.texture.palette import Palette, between_lips_and_brows, palette_of, region_texels
from rome_backend.texture.surface_detail import SurfaceDetail
from rome_backend.texture.trust import trusted, with_hair_where_it_lies

_INNER = ("left_eyeball", "right_eyeball", *PARTS)
_NEEDED = ("hair", "ears", "neck", "shoulders", "lips", *_INNER)
_FULL = 0.3  # weight from which the photo alone counts


@dataclass(frozen=True)
class CompletedTexels:
    """colour (P, 3) f32 sRGB 0..255; trust (P,) f32: the photo's weight without what does not
    belong to the person's skin or hair; filled (P,) bool: texels that a step gave a colour."""

    colour: F32
    trust: F32
    filled: Mask


def complete(
    head: HeadModel,
    atlas: Atlas,
    colour: F32,
    weight: F32,
    seed: int = 0,
    source: tuple[NDArray[np.floating], PhotoSurface | None] | None = None,
    check: Callable[[], None] = lambda: None,
    below: F32 | None = None,
) -> CompletedTexels:
    """Complete texel colours (P, 3) sRGB 0..255 known with weight (P,).

    Texels that are not finite count as unknown. In this order: texels of scalp and ears that are
    neither skin nor hair lose their weight; the mirrored half is used where the own weight is
    poor; the rest continues skin, hair and cloth; the mouth's inside is painted; eyeballs become
    whole. ``source``: the head's vertices (V, 3) m with its hair, and what the photo shows of
    its materials; ``seed``: of invented detail. ``check`` is called between the steps;
    ``below`` (P,): how far the colour of clothes may go on where the weight is 0.
    """
    check()
    colour, weight = _finite(colour, weight)
    regions = region_texels(head, atlas)
    points = atlas.spread(head.template)
    fill, cheeks = MeshFill(head), between_lips_and_brows(points, regions)
    colour = evened(atlas, fill, cheeks, (colour, weight), regions)
    palette = palette_of(colour, weight, points, regions)
    vertices, photo = source or (head.template, None)
    regions = with_hair_where_it_lies(head, atlas, vertices, (colour, weight), regions, palette)
    regions = {name: regions[name] for name in _NEEDED}  # a 2K mask is 15 MB
    trust = trusted(head, atlas, vertices, weight, regions, palette)
    inner = _inner(regions)
    trust *= 1 - glare(atlas, fill, cheeks, (colour, trust), regions, palette) * ~inner
    check()
    colour = lips_alone(head, atlas, fill, colour, trust, regions["lips"])
    seen = _with_mirror(atlas, fill, colour, trust, inner)
    own, known = _with_cloth_below(atlas, fill, seen, colour, below, regions["neck"], palette)
    check()
    detail = SurfaceDetail.of(head, vertices, photo, palette, seed)
    filled = layered_fill(head, atlas, fill, (own, known * ~inner), regions, palette, detail, check)
    check()
    out = own * known[:, None] + filled * (1 - known[:, None])
    skin = palette.skin.rgb()
    mouth, inside = painted_mouth(head, atlas, fill, regions, skin, (colour, weight), out)
    out[inside], trust[inside] = mouth, 0
    del filled, own, known  # 2K arrays are 45 MB each
    eyes, texels = complete_eyes(head, atlas, colour, trust, skin)
    out[texels] = eyes
    finite = np.isfinite(out.sum(1))
    return CompletedTexels(np.clip(np.nan_to_num(out), 0, 255).astype(np.float32), trust, finite)


def _finite(colour: F32, weight: F32) -> tuple[F32, F32]:
    """Return both with 0 in texels where either is not finite."""
    finite = np.isfinite(colour).all(axis=1) & np.isfinite(weight)
    if finite.all():
        return colour, weight
    return np.where(finite[:, None], colour, np.float32(0)), np.where(finite, weight, np.float32(0))


def _inner(regions: Mapping[str, F32]) -> Mask:
    """Texels whose colour is no skin's, hair's or cloth's: eyeballs and all inside the mouth."""
    return np.asarray(sum(regions[name] for name in _INNER)) > 0.5


def _with_mirror(
    atlas: Atlas, fill: MeshFill, colour: F32, trust: F32, inner: Mask
) -> tuple[F32, F32]:
    """Return photo and mirrored photo as one colour (P, 3) and how much of it is known (P,).

    The known share is in [0, 1] and smooth towards what is unknown.
    """
    other, other_weight = mirrored_half(atlas, fill, colour, trust * ~inner)
    own_share = _share(atlas, trust)
    other_share = (1 - own_share) * _share(atlas, other_weight) * ~inner
    known = own_share + other_share
    total = np.maximum(known, 1e-4)[:, None]
    mixed = (colour * own_share[:, None] + other * other_share[:, None]) / total
    return np.asarray(mixed, np.float32), np.clip(known, 0, 1)


def _with_cloth_below(
    atlas: Atlas,
    fill: MeshFill,
    seen: tuple[F32, F32],
    colour: F32,
    below: F32 | None,
    neck: F32,
    palette: Palette,
) -> tuple[F32, F32]:
    """Return colour (P, 3) and known share (P,) with clothes drawn out where nothing is known."""
    if below is None:
        return seen
    own, known = seen
    share = below * neck * (1 - known)
    share *= drawn_out_material(atlas, fill, known * neck, share, palette.skin_likeness)
    total = known + share
    part = (share / np.maximum(total, 1e-4))[:, None]
    return (own * (1 - part) + colour * part).astype(np.float32, copy=False), total


def _share(atlas: Atlas, weight: F32) -> F32:
    """Turn a weight into a share that fades out inside the seen area, not at its rim."""
    t = np.clip(weight / _FULL, 0, 1)
    share = t * t * (3 - 2 * t)
    sigma = atlas.size / 300
    stack = atlas.image(np.stack([share, np.ones_like(share)], -1))
    stack[..., 0] = cv2.erode(
        np.where(stack[..., 1] > 0, stack[..., 0], 1.0), np.ones((3, 3)), iterations=2
    )
    stack[..., 0] *= stack[..., 1]
    smooth = cv2.GaussianBlur(stack, (0, 0), sigmaX=sigma).reshape(-1, 2)[atlas.texel]
    return np.minimum(share, smooth[:, 0] / np.maximum(smooth[:, 1], 1e-6))
