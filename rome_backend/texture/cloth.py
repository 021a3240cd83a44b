# SPDX-License-Identifier: Apache-2.0
"""Where clothes lie on neck and shoulders, and what colour they have where no photo shows them.

Does not know hair, faces or fine detail. Our own.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.palette import Palette

_PLAIN = np.array([92.0, 96.0, 104.0], np.float32)  # of a photo that shows none
_REACH = 0.025  # m over which what is seen of the collar is carried on
_REACH_UP = 0.006  # m: the same above the collar
_ABOVE, _BELOW = 0.025, 0.01  # m from the shoulders' top between which a collar lies behind
_EDGE = 0.003  # m over which skin gives way to cloth
_OUTER = 0.05  # m from the middle: outside tie and shirt
_NECKLINE = 0.03  # m: how far skin goes on below a photo
_STRAY = 0.012  # m above the collar from which nothing is cloth
_OTHER_CLOTH = (60.0, 120.0)  # of 255: what is no more the garment, but shirt or tie
_LEAST = 40.0  # texels


def cloth_share(
    head: HeadModel, atlas: Atlas, fill: MeshFill, weight: F32, bare: F32, on_neck: F32
) -> F32:
    """How much of each texel is cloth (P,): as the photo tells, else below a slanted collar.

    weight (P,): how well the photo shows it; bare (P,): how like skin it is; on_neck (P,): mask.
    """
    cloth, known = _seen_cloth(head, atlas, weight, bare, on_neck)
    prior, above = _below_collar(head, cloth, known)
    # A beard or a shadow above all clothes is none; what is hidden there is bare.
    cloth = np.asarray(cloth * (1 - np.clip(above / _STRAY, 0, 1)), np.float32)
    reach = np.where(above > 0, _REACH_UP, _REACH)
    skin = ~head.regions["neck"] & ~head.regions["hair"]
    cloth, known = np.where(skin, 0, cloth), np.maximum(0.3 * known, skin)
    share = fill.fill(cloth[:, None], known, prior[:, None], reach)[:, 0]
    return _step(atlas.spread(share), 0.46, 0.54)


def _seen_cloth(
    head: HeadModel, atlas: Atlas, weight: F32, bare: F32, on_neck: F32
) -> tuple[F32, F32]:
    """How much of what each vertex (V,) shows is cloth, and how well it is seen, 0..1."""
    cloth, known = atlas.gather((1 - bare)[:, None], weight * on_neck)
    known = np.clip(known / max(float(np.quantile(known, 0.95)), 1e-3), 0, 1)
    return cloth[:, 0], known * head.regions["neck"]


def _below_collar(head: HeadModel, cloth: F32, known: F32) -> tuple[F64, F64]:
    """Where cloth would be by place alone (V,), 1 below the collar, 0 above, all 0 without any;
    and how far each vertex lies above whatever may be cloth, m.

    The collar is as high in front as the photo shows best and lies on the shoulders behind.
    """
    height = head.template[:, 1].astype(np.float64)
    if (cloth * known).sum() < 0.04 * known.sum() or known.sum() < 3:
        return np.zeros(len(known)), np.full(len(known), -1.0)
    collar = _collar(head, cloth, known)
    prior = head.regions["neck"] / (1 + np.exp(np.clip((height - collar) / _EDGE, -50, 50)))
    return prior, height - np.maximum(collar, _shoulder_top(head) + _ABOVE)


def _collar(head: HeadModel, cloth: F32, known: F32) -> F64:
    """Height (V,) m of the collar by how far behind each vertex lies."""
    points = head.template.astype(np.float64)
    neck = head.regions["neck"]
    order = np.argsort(points[:, 1])
    vote = (known * (2 * cloth - 1))[order].cumsum()
    front = points[order, 1][int(np.argmax(vote))]
    top = _shoulder_top(head)
    back = np.clip(front + 0.01, top - _BELOW, top + _ABOVE)
    above = points[neck & (points[:, 1] > top), 2]
    near, far = np.quantile(above if len(above) else points[:, 2], [0.05, 0.95])
    behind = np.clip((far - points[:, 2]) / max(far - near, 1e-3), 0, 1)
    return front + (back - front) * behind


def stray_on_neck(head: HeadModel, atlas: Atlas, weight: F32, bare: F32, on_neck: F32) -> F32:
    """How far texels (P,) well above the collar show neither skin nor cloth, but hair or earrings.

    Arguments as of ``cloth_share``.
    """
    cloth, known = _seen_cloth(head, atlas, weight, bare, on_neck)
    if known.sum() < 3:
        return np.zeros_like(weight)
    limit = np.maximum(_collar(head, cloth, known), _shoulder_top(head) + _ABOVE)
    above = atlas.spread(head.template[:, 1] - limit)
    return np.clip(above / _STRAY, 0, 1) * (1 - bare) * on_neck


def _shoulder_top(head: HeadModel) -> float:
    """Height (m) where the neck meets the shoulders."""
    shoulders = head.regions.get("shoulders")
    if shoulders is not None and shoulders.any():
        return float(head.template[shoulders, 1].max())
    height = head.template[head.regions["neck"], 1]
    return float(np.quantile(height, 0.6)) if len(height) else 0.0


def drawn_out_material(atlas: Atlas, fill: MeshFill, weight: F32, below: F32, bare: F32) -> F32:
    """How far what the photo shows at its lower edge goes on below it, 0..1 (P,).

    Cloth goes on downwards; skin ends in the curve of a neckline, as a garment lies below it, and
    what is as small as a pendant ends at once.

    weight (P,): how well the photo shows the neck; below (P,): how far each texel lies below it;
    bare (P,): how like skin each is, or what is drawn out there.
    """
    cloth = np.clip(1 - 2 * bare, 0, 1)
    values, known = atlas.gather(cloth[:, None], weight + below * cloth)
    typical = max(float(np.quantile(known[known > 0], 0.5)), 1e-3) if known.any() else 1.0
    known = np.clip(known / typical, 0, 1)
    covered = atlas.spread(fill.fill(values, known, np.ones(1), _NECKLINE)[:, 0])
    around, _ = atlas.gather(cloth[:, None], below)  # without pendants and what lies between
    garment = _step(atlas.spread(around[:, 0]), 0.4, 0.8)
    skin = (1 - garment) * (1 - _step(covered, 0.45, 0.55)) * np.clip(2 * bare - 1, 0, 1)
    return garment * cloth + skin


def cloth_colour(
    head: HeadModel,
    atlas: Atlas,
    seen: tuple[F32, F32],
    regions: Mapping[str, F32],
    palette: Palette,
    long_hair: bool,
) -> tuple[F32, F32]:
    """Return which texels show the garment, weights (P,), and its colour (3,).

    Shirt and tie are not carried on: behind a jacket's collar they would be pale bands. The
    garment is what lies outside the middle, hair left out if it is long enough to hang there.
    """
    colour, weight = seen
    chosen = weight * regions["neck"] * (1 - palette.skin_likeness)
    unlike_hair = chosen * (1 - palette.hair_likeness)
    if long_hair and unlike_hair.sum() > 0.3 * chosen.sum():
        chosen = unlike_hair
    outer = chosen * (np.abs(atlas.spread(head.template[:, 0])) > _OUTER)
    for candidate in (outer, chosen):
        good = candidate > 0.4
        if good.sum() > _LEAST:
            garment = _commonest(colour[good])
            away = np.linalg.norm(colour - garment, axis=1)
            return chosen * (1 - _step(away, *_OTHER_CLOTH)), garment
    return chosen, _PLAIN


def _commonest(colours: F32) -> F32:
    """The mean (3,) of those of (N, 3) colours that are alike and most: of three clusters, the one
    with most colours near its middle, whichever cluster they were counted to."""
    some = np.ascontiguousarray(colours[:: max(1, len(colours) // 4000)], np.float32)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 20, 0.0)
    cv2.setRNGSeed(1)
    nothing = np.zeros((0, 1), np.int32)
    _, _, middles = cv2.kmeans(some, 3, nothing, stop, 2, cv2.KMEANS_PP_CENTERS)
    near = np.linalg.norm(some[:, None] - middles, axis=2) < _OTHER_CLOTH[0]
    return np.asarray(some[near[:, int(near.sum(0).argmax())]].mean(0), np.float32)


def _step(values: F32 | F64, low: float, high: float) -> F32:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
