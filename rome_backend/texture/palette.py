# SPDX-License-Identifier: Apache-2.0
"""What colours a person's skin and hair have in the photo, and which texels do not fit.

Does not know meshes beyond region masks on texels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F32, F64, HeadModel, Mask
from rome_backend.texture.atlas import Atlas

REGIONS = (
    *("face", "lips", "left_eye_region", "right_eye_region", "ears", "hair", "neck"),
    *("mouth_inside", "teeth", "gums", "tongue", "left_eyeball", "right_eyeball"),
    *("nose", "shoulders"),
)
_ENOUGH = 200  # texels needed before a colour distribution means anything
_APART = 9.0  # of a and b: skin and the beard beside it; less is one skin's own variation
_PALER = 0.4  # of the tints' own strength: strong ones vary more
_TINT = 0.035  # of r, g, b over their sum: largest difference of skin's tint in shadow
_SHADE = (0.12, 0.2)  # of skin's brightness: black, deepest shadow
_BETWEEN = 4.0  # of a and b by which skin in strong light is nearer to a grey beard
_GLARING = 40.0  # of lightness: more than hair of one head differs
_ONE_SIDED = 3.0  # times as much of one side as of the other
_DEFAULT_SKIN = np.array([68.0, 13.0, 16.0])  # CIE Lab, used when the photo shows no skin
_LEAST_SPREAD, _LARGEST_SPREAD = np.array([9.0, 3.5, 4.0]), np.array([15.0, 6.0, 7.0])


@dataclass(frozen=True)
class ColourModel:
    """A normal distribution of colours: mean (3,) CIE Lab, inverse covariance (3, 3)."""

    mean: F64
    inverse: F64

    def distance(self, lab: F32) -> F32:
        """Squared Mahalanobis distance (P,) of Lab colours (P, 3)."""
        away = lab - self.mean.astype(np.float32)
        return np.einsum("pa,ab,pb->p", away, self.inverse.astype(np.float32), away, optimize=True)

    def rgb(self) -> F32:
        """The mean as sRGB (3,) 0..255."""
        lab = self.mean.astype(np.float32)[None, None]
        return np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)[0, 0] * 255, 0, 255)


def to_lab(rgb: F32) -> F32:
    """CIE Lab (P, 3) of sRGB 0..255 (P, 3)."""
    scaled = np.ascontiguousarray(rgb[None], np.float32) / 255
    return cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab)[0]


def fit_colours(lab: F32, weights: F32) -> ColourModel | None:
    """Fit robustly to Lab colours (P, 3); None when too few are known."""
    chosen = lab[weights > 0.5].astype(np.float64)
    if len(chosen) < _ENOUGH:
        return None
    chosen = chosen[:: max(1, len(chosen) // 20000)]
    kept = np.ones(len(chosen), bool)
    for _ in range(4):
        mean = chosen[kept].mean(0) if kept.sum() > _ENOUGH // 4 else np.median(chosen, 0)
        spread = np.maximum(chosen[kept].std(0), 0.6 * _LEAST_SPREAD)
        kept = (((chosen - mean) / spread) ** 2).sum(1) < 6
    inner = chosen[kept] if kept.sum() > 10 else chosen
    limit = np.minimum(1, _LARGEST_SPREAD / np.maximum(inner.std(0), 1e-6))
    covariance = 1.6 * np.cov(inner.T) * limit * limit[:, None] + np.diag(_LEAST_SPREAD**2)
    return ColourModel(inner.mean(0), np.linalg.inv(covariance))


def region_texels(head: HeadModel, atlas: Atlas) -> dict[str, F32]:
    """Region masks on the texels: name -> (P,) f32 in [0, 1].

    Every name of REGIONS is there, all 0 if the head model lacks it; "left" is the subject's left
    half.
    """
    count = len(head.template)
    masks = [head.regions.get(name, np.zeros(count, bool)) for name in REGIONS]
    masks.append(head.template[:, 0] > 0)
    spread = atlas.spread(np.stack(masks, -1).astype(np.float32))
    return {name: spread[:, k] for k, name in enumerate((*REGIONS, "left"))}


@dataclass(frozen=True)
class Palette:
    """Skin and hair of one person.

    skin, hair: colour models (hair equals skin where the scalp is bare);
    skin_likeness, hair_likeness (P,) f32 in [0, 1]: 1 where the texel's colour is skin's, hair's;
    foreign (P,) f32 in [0, 1]: 1 where it is neither skin's nor hair's.
    """

    skin: ColourModel
    hair: ColourModel
    skin_likeness: F32
    hair_likeness: F32
    foreign: F32


def palette_of(colour: F32, weight: F32, points: F32, regions: Mapping[str, F32]) -> Palette:
    """Learn skin from cheeks and nose, hair from the scalp.

    colour (P, 3) sRGB 0..255; weight (P,); points (P, 3) m: the template's surface.
    """
    lab = to_lab(colour)
    features = regions["lips"] + regions["left_eye_region"] + regions["right_eye_region"]
    face = (regions["face"] > 0.5) & (features < 0.1) & between_lips_and_brows(points, regions)
    skin = fit_colours(lab, _surely_skin(lab, weight * face, regions["nose"]))
    if skin is None:
        skin = ColourModel(_DEFAULT_SKIN, np.linalg.inv(np.diag((2 * _LEAST_SPREAD) ** 2)))
    distance = skin.distance(lab)
    likeness = np.maximum(_likeness(distance), _in_the_jaws_shadow(colour, points, regions, skin))
    scalp = (regions["hair"] > 0.5) * weight
    covered = scalp * (likeness < 0.7)
    # Fair hair looks like skin; what little does not is then cloth or shadow, not hair.
    if covered.sum() < 0.25 * scalp.sum():
        covered = scalp
    hair = fit_colours(lab, _in_no_glare(lab, covered, regions["left"] > 0.5)) or skin
    from_hair = hair.distance(lab)
    foreign: F32 = np.clip(np.minimum(distance, from_hair) / 12 - 1, 0, 1)
    return Palette(skin, hair, likeness, _likeness(from_hair), foreign)


def _surely_skin(lab: F32, seen: F32, nose: F32) -> F32:
    """Which of the texels seen (P,) on the face are skin for sure (P,).

    Where two tints lie far apart, one is a beard's or a coloured light's: skin is what the nose
    looks like where it has most colour, as nothing grows there.
    """
    good = seen > 0.5
    on_nose = good & (nose > 0.5)
    if good.sum() < _ENOUGH or not on_nose.any():
        return seen
    kept = seen.copy()
    _, middles = _two(lab[good, 1:])
    apart = float(np.linalg.norm(middles[0] - middles[1]))
    if apart > max(_APART, _PALER * float(np.linalg.norm(middles.mean(0)))):
        own = _deepest(lab[on_nose, 1:])
        skin = int(np.linalg.norm(middles - own, axis=1).argmin())
        away = np.linalg.norm(lab[good, None, 1:] - middles, axis=2)
        kept[good] *= away[:, skin] < away[:, 1 - skin] + _BETWEEN
    return kept


def _deepest(tints: F32) -> F32:
    """Median (2,) of the most colourful third of tints (N, 2): light that glares is grey."""
    strength = np.hypot(tints[:, 0], tints[:, 1])
    deep = tints[strength >= np.quantile(strength, 2 / 3)]
    return np.asarray(np.median(deep, axis=0), np.float32)


def _in_no_glare(lab: F32, hair: F32, left: Mask) -> F32:
    """Hair (P,) without its lighter part, if so light that a window shines on it.

    A window shines from one side; what is light on both sides of most of the head is hair or fur.
    """
    good = hair > 0.5
    if good.sum() < _ENOUGH:
        return hair
    label, middles = _two(lab[good, :1])
    light = label == int(middles[:, 0].argmax())
    sides = [light[side].mean() if side.any() else 0.0 for side in (left[good], ~left[good])]
    kept = hair.copy()
    aside = light.mean() < 0.5 or max(sides) > _ONE_SIDED * min(sides)
    if aside and abs(float(middles[0, 0] - middles[1, 0])) > _GLARING:
        kept[good] *= ~light
    return kept


def _two(values: F32) -> tuple[NDArray[np.int32], F32]:
    """Split (N, C) in two clusters: which each belongs to (N,), and their middles (2, C)."""
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 20, 0.0)
    cv2.setRNGSeed(1)
    nothing = np.zeros((0, 1), np.int32)
    some = np.ascontiguousarray(values[:: max(1, len(values) // 20000)])
    _, _, middles = cv2.kmeans(some, 2, nothing, stop, 2, cv2.KMEANS_PP_CENTERS)
    away = ((values[:, None] - middles) ** 2).sum(2)
    return away.argmin(1).astype(np.int32), middles


def _in_the_jaws_shadow(
    colour: F32, points: F32, regions: Mapping[str, F32], skin: ColourModel
) -> F32:
    """How far texels (P,) of the neck above the shoulders are skin, only darker, 0..1."""
    shoulders = regions["shoulders"] > 0.5
    if not shoulders.any():
        return np.zeros(len(points), np.float32)
    neck = regions["neck"] * (points[:, 1] > points[shoulders, 1].max())
    own = skin.rgb()
    tint = own / own.sum()
    # A tint nearer to grey than this is cloth in shadow as well.
    near = min(_TINT, 0.4 * float(np.linalg.norm(tint - 1 / 3)))
    total = colour.sum(1)
    away = np.linalg.norm(colour / np.maximum(total, 1)[:, None] - tint, axis=1)
    dark = total / float(own.sum())
    lit = np.clip((dark - _SHADE[0]) / (_SHADE[1] - _SHADE[0]), 0, 1) * (dark < 1)
    shaded: F32 = neck * lit * np.clip(2 - 2 * away / near, 0, 1)
    return shaded.astype(np.float32, copy=False)


def _likeness(distance: F32) -> F32:
    """1 for squared distances up to 6, 0 from 16."""
    return np.clip(1.6 - distance / 10, 0, 1)


def between_lips_and_brows(points: F32, regions: Mapping[str, F32]) -> Mask:
    """Texels that neither beard nor fringe usually covers; all if the regions are missing."""
    eyes = (regions["left_eye_region"] + regions["right_eye_region"]) > 0.5
    lips = regions["lips"] > 0.5
    if not eyes.any() or not lips.any():
        return np.ones(len(points), bool)
    height = points[:, 1]
    return (height > height[lips].max()) & (height < np.quantile(height[eyes], 0.7))
