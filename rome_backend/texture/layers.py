# SPDX-License-Identifier: Apache-2.0
"""Skin, hair and cloth continued over the whole head from what the photo shows of them.

Does not know eyes, the mouth's inside, or which texels will need the continuation.

Each material is a layer over the full mesh, so that none picks up another's colour; how much of
each a texel has comes from the regions, and on the neck from where the photo shows cloth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.cloth import cloth_colour, cloth_share
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import Palette
from rome_backend.texture.surface_detail import SurfaceDetail

_HAIRLINE = 0.010  # m over which hair gives way to skin
_SKIN_RANGE, _HAIR_RANGE = (0.72, 1.22), (0.55, 1.5)  # of the usual brightness, where unseen
_ALIKE, _OTHER = 40.0, 100.0  # of 255: differences that are carried on, and that are not
_FINE, _COARSE = 0.0012, 0.006  # m: sizes that hair detail is measured at


def layered_fill(
    head: HeadModel,
    atlas: Atlas,
    fill: MeshFill,
    seen: tuple[F32, F32],
    regions: Mapping[str, F32],
    palette: Palette,
    detail: SurfaceDetail,
    check: Callable[[], None] = lambda: None,
) -> F32:
    """Return a plausible colour (P, 3) for every texel.

    Args:
        seen: colour (P, 3) sRGB 0..255 and weight (P,) of texels to continue from.
        regions: masks on the texels; palette: the person's colours; detail: the materials'
            fine variation; check: called between the steps.
    """
    colour, weight = seen
    bare, scalp = palette.skin_likeness, regions["hair"]
    points = atlas.spread(head.template)
    contrast = _hair_contrast(atlas, points, colour, weight * (scalp > 0.7))
    bald = _bald(weight * scalp, bare, contrast[0])
    soft = _soft_hair(head, atlas, fill, regions["hair"]) * (1 - bald)
    strands = detail.hair(atlas, (soft > 0.2) & (weight < 1), contrast, check)
    hair_share = _step(soft + 0.3 * strands.mean(1), 0.35, 0.65)
    covered = cloth_share(head, atlas, fill, weight, bare, regions["neck"]) * (1 - hair_share)
    scalp = scalp * (1 - bald)
    check()
    chosen, usual = weight * bare * (1 - scalp), palette.skin.rgb() * 0.95
    skin = _layer(atlas, fill, colour, chosen, usual, 0.08, _SKIN_RANGE)
    chosen = weight**2 * scalp * (palette.hair_likeness**2 + 0.01)
    rest = 0.45 * (_mean(colour, chosen, palette.hair.rgb()) + palette.hair.rgb())
    hair = _layer(atlas, fill, colour, chosen, rest, 0.03, _HAIR_RANGE)
    chosen, rest = cloth_colour(head, atlas, seen, regions, palette, detail.long_hair)
    cloth = _layer(atlas, fill, colour, chosen, rest, 0.02)
    check()
    skin *= crevices(head)[:, None]
    bare_share = np.clip(1 - hair_share - covered, 0, 1)
    pores = detail.skin(atlas, (bare_share > 0) & (weight < 1), check)
    out = bare_share[:, None] * atlas.spread(skin) * np.exp(pores)
    out += hair_share[:, None] * atlas.spread(hair) * np.exp(strands)
    weave = detail.cloth(atlas, (covered > 0) & (weight < 1), check)
    out += covered[:, None] * atlas.spread(cloth) * np.exp(weave)
    return out + _difference(atlas, fill, colour, weight, out)


def _layer(
    atlas: Atlas,
    fill: MeshFill,
    colour: F32,
    chosen: F32,
    rest: F32,
    reach: float,
    within: tuple[float, float] = (0.0, np.inf),
) -> F64:
    """Continue one material (V, 3) from its texels; ``reach`` m on it is ``rest``.

    within: of its usual brightness; what is darker or lighter continues as dark or light as that.
    """
    values, known = atlas.gather(colour, chosen)
    values = _tamed(values, known, within)
    positive = known[known > 1e-3]
    typical = float(np.quantile(positive, 0.8)) if len(positive) else 1.0
    return fill.fill(values, np.clip(known / typical, 0, 1), rest, reach)


def _tamed(values: F32, known: F32, within: tuple[float, float]) -> F32:
    """Bring the brightness of colours (V, 3) within a range round their weighted median."""
    if not (known > 1e-3).any():
        return values
    grey = np.maximum(values.mean(1), 1.0)
    order = np.argsort(grey)
    share = known[order].cumsum()
    middle = grey[order][int(np.searchsorted(share, 0.5 * share[-1]))]
    wanted = np.clip(grey, within[0] * middle, within[1] * middle)
    return np.asarray(values * (wanted / grey)[:, None], np.float32)


def _mean(colour: F32, chosen: F32, otherwise: F32) -> F32:
    """Mean colour (3,) of the chosen texels, if there are enough."""
    total = float(chosen.sum())
    return np.asarray((colour * chosen[:, None]).sum(0) / total if total > 20 else otherwise)


def _difference(atlas: Atlas, fill: MeshFill, colour: F32, weight: F32, filled: F32) -> F32:
    """What the fill lacks where the photo is, fading out: no step where the photo ends."""
    values, known = atlas.gather(colour - filled, weight)
    # What differs by much is another material or hard light, and ends with the photo.
    size = np.abs(values).max(1, keepdims=True)
    values = values * np.clip((_OTHER - size) / (_OTHER - _ALIKE), 0, 1)
    typical = max(float(np.quantile(known, 0.9)), 1e-3)
    smooth = fill.fill(values, np.clip(known / typical, 0, 1), np.zeros(3), 0.012)
    return atlas.spread(smooth)


def _bald(scalp: F32, bare: F32, contrast: float) -> float:
    """How far the visible scalp (weights (P,)) is smooth skin: 0 hair, 1 bald."""
    shown = float(scalp.sum())
    if shown < 100:
        return 0.0
    skin, rough = (scalp * bare).sum() / shown, contrast
    smooth = 1 - _step(np.array([rough]), 0.04, 0.07)
    return float((_step(np.array([skin]), 0.6, 0.8) * smooth)[0])


def crevices(head: HeadModel) -> F64:
    """Brightness (V,) of skin by its shape: folds of the ear and the like are darker."""
    faces = head.faces
    a = np.concatenate([faces[:, k] for k in (0, 1, 2, 1, 2, 0)])
    b = np.concatenate([faces[:, k] for k in (1, 2, 0, 0, 1, 2)])
    step = head.template[b].astype(np.float64) - head.template[a]
    normal = vertex_normals(head.template, faces)
    rise = (step * normal[a]).sum(1) / np.maximum(np.linalg.norm(step, axis=1), 1e-9)
    count = len(head.template)
    mean = np.bincount(a, rise, count) / np.maximum(np.bincount(a, minlength=count), 1)
    return 1 - np.clip(0.8 * mean - 0.03, 0, 0.26)


def _soft_hair(head: HeadModel, atlas: Atlas, fill: MeshFill, scalp: F32) -> F32:
    """The hair region's mask (P,), soft over the hairline; ears under hair belong to it."""
    count = len(head.template)
    mask, _ = atlas.gather(scalp[:, None], np.ones_like(scalp))
    mask = np.maximum(mask, head.regions["hair"][:, None])
    return atlas.spread(fill.fill(np.zeros((count, 1)), np.zeros(count), mask, _HAIRLINE))[:, 0]


def _step(values: F32 | F64, low: float, high: float) -> F32:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _hair_contrast(atlas: Atlas, points: F32, colour: F32, hair: F32) -> tuple[float, float]:
    """Measure the relative brightness variation of visible hair in two bands of size."""
    visible = hair > 0.6
    if visible.sum() < 500:
        return 0.05, 0.06
    texel = float(np.median(np.linalg.norm(np.diff(points[visible], axis=0), axis=1)))
    texel = max(texel, 1e-5)
    grey = colour.mean(1)
    bands = []
    for size in (_FINE, _COARSE):
        smooth = _smoothed(atlas, grey, visible.astype(np.float32), size / texel)
        bands.append((grey - smooth)[visible] / np.maximum(smooth[visible], 10))
    fine = float(np.clip(np.std(bands[0].clip(-0.6, 0.6)), 0, 0.16))
    whole = float(np.std(bands[1].clip(-0.6, 0.6)))
    return fine, float(np.clip(np.sqrt(max(whole**2 - fine**2, 0)), 0, 0.11))


def _smoothed(atlas: Atlas, values: F32, weight: F32, sigma: float) -> F32:
    """Average texel values (P,) over a square about as wide as a Gaussian of sigma texels."""
    side = 2 * max(1, round(1.7 * sigma)) + 1
    stack = atlas.image(np.stack([values * weight, weight], -1))
    smooth = cv2.boxFilter(stack, -1, (side, side)).reshape(-1, 2)[atlas.texel]
    return smooth[:, 0] / np.maximum(smooth[:, 1], 1e-6)
