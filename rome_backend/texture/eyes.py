# SPDX-License-Identifier: Apache-2.0
"""Whole eyeballs from the slit of them that a photo shows.

Does not know lids or gaze: the iris sits where the eyeball's own front is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rome_backend.core.normals import face_crosses
from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.texture.atlas import Atlas

_IRIS_RADIUS = 0.0059  # m, nearly the same in all adults
_RINGS = 14
_DEFAULT_IRIS = np.array([70.0, 52.0, 42.0])
# As photos show it where skin has a mean of 165: lids and lashes shade it, and it is not white.
_SCLERA = np.array([170.0, 153.0, 146.0])
_FULL_LIGHT = 165.0
_SHADE_M = 0.0012  # over which shade is measured and continued
_DARKEST, _LIGHTER = 0.3, 1.12  # of the shade that lids and lashes throw, and of glints
_ALIKE = 55.0  # of 255: differences from the model that are the photo's own detail
_UNSURE = 0.02  # weight at which a continuation gives way to the usual
_BEYOND = 2.6  # iris radii: further out the photo shows lids


@dataclass(frozen=True)
class _Eyeball:
    """Texels (Q,) of one eyeball; radius (Q,): angle from the front, 1 at the iris's edge;
    rise (Q,): height above the middle, -1..1."""

    texels: NDArray[np.int64]
    radius: F32
    rise: F32


def complete_eyes(
    head: HeadModel, atlas: Atlas, colour: F32, weight: F32, skin: F32
) -> tuple[F32, F32]:
    """Return the colours (Q, 3) of all eyeball texels and their indices (Q,) into the atlas.

    A radial model of iris and sclera, learned from what both eyes show, in the shade of lids and
    lashes that the photo shows on them, replaces what it does not show; the photo keeps what it
    shows well.

    Args:
        colour (P, 3) sRGB 0..255 and weight (P,): what the photo shows.
        skin: (3,) mean skin colour, to which the sclera's brightness is held.
    """
    balls = _eyeballs(head, atlas)
    if not balls:
        return np.zeros((0, 3), np.float32), np.zeros(0, np.int64)
    texels = np.concatenate([ball.texels for ball in balls])
    radius = np.concatenate([ball.radius for ball in balls])
    seen, sure = colour[texels], np.clip(weight[texels] * 1.5 - 0.3, 0, 1)
    sure = np.where(radius < _BEYOND, sure, 0).astype(np.float32)
    model = _radial_model(seen, sure, radius, skin)
    rise = np.concatenate([ball.rise for ball in balls])
    ratio = np.clip(seen / np.maximum(model, 1), _DARKEST, _LIGHTER)
    sigma = _SHADE_M / _texel_m(head, atlas, texels)
    usual = np.log(_usual_shade(radius, rise))[:, None]
    shade = _continued(atlas, texels, np.log(ratio) - usual, sure, sigma)[0]
    model = np.minimum(model * np.exp(shade + usual), 255)
    apart = np.abs(seen - model).max(1, keepdims=True) / _ALIKE
    alike, known = _continued(atlas, texels, np.exp(-(apart**2)), sure, 0.3 * sigma)
    keep = sure[:, None] * np.minimum(known, 1) * alike
    return (seen * keep + model * (1 - keep)).astype(np.float32), texels


def _usual_shade(radius: F32, rise: F32) -> F32:
    """Shade (Q,) of lids and lashes where no photo tells: the upper lid's is deeper."""
    upper, lower = np.clip((rise - 0.05) / 0.45, 0, 1), np.clip((-rise - 0.3) / 0.3, 0, 1)
    corner = np.clip((radius - 1.6) / 1.2, 0, 1)
    return np.asarray((1 - 0.35 * upper) * (1 - 0.2 * lower) * (1 - 0.1 * corner), np.float32)


def _texel_m(head: HeadModel, atlas: Atlas, texels: NDArray[np.int64]) -> float:
    """The size in m of a texel of the eyeballs, from the faces that the texels show."""
    faces = np.unique(atlas.face[texels])
    surface = np.linalg.norm(face_crosses(head.template, head.faces[faces]), axis=1).sum() / 2
    return float(np.sqrt(surface / len(texels)))


def _continued(
    atlas: Atlas, texels: NDArray[np.int64], values: F32, weight: F32, sigma: float
) -> tuple[F32, F32]:
    """Average values (Q, C) of texels over sigma texels, by weight (Q,); 0 far from all weight.

    Returns the averages (Q, C) and the weight found (Q, 1).
    """
    whole = np.zeros((len(atlas.texel), values.shape[1] + 1), np.float32)
    whole[texels] = np.c_[values * weight[:, None], weight]
    image = atlas.image(whole)
    smooth = cv2.GaussianBlur(image, (0, 0), max(sigma, 0.6)).reshape(-1, image.shape[2])
    found = smooth[atlas.texel[texels]]
    return found[:, :-1] / (found[:, -1:] + _UNSURE), found[:, -1:]


def _eyeballs(head: HeadModel, atlas: Atlas) -> list[_Eyeball]:
    points = None
    balls = []
    for name in ("left_eyeball", "right_eyeball"):
        mask = head.regions.get(name)
        if mask is None or not mask.any():
            continue
        if points is None:
            points = atlas.spread(head.template)
        texels = np.flatnonzero(atlas.spread(mask.astype(np.float32)) > 0.5)
        low, high = head.template[mask].min(0), head.template[mask].max(0)
        away = points[texels] - (low + high) / 2
        size = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
        angle = np.arccos(np.clip(away[:, 2] / size, -1, 1))
        edge = np.arcsin(min(_IRIS_RADIUS / float((high - low).max() / 2), 0.9))
        balls.append(_Eyeball(texels, (angle / edge).astype(np.float32), away[:, 1] / size))
    return balls


def _radial_model(seen: F32, sure: F32, radius: F32, skin: F32) -> F32:
    """Colours (Q, 3) by distance from the front alone."""
    sclera = _sclera(seen, sure, radius, skin)
    rings = _iris_rings(seen, sure, radius)
    place = np.clip(radius, 0, 1) * (_RINGS - 1)
    iris = np.stack([np.interp(place, np.arange(_RINGS), rings[:, k]) for k in range(3)], -1)
    edge = np.clip((radius - 0.94) / 0.14, 0, 1)[:, None]
    edge = edge * edge * (3 - 2 * edge)
    return iris * (1 - edge) + sclera * edge


def _iris_rings(seen: F32, sure: F32, radius: F32) -> F64:
    """Median colour of each ring of the iris, smoothed; dark pupil and rim if none is seen."""
    place = np.linspace(0, 1, _RINGS)
    visible = (sure > 0.5) & (radius < 0.9)
    base = np.median(seen[visible], axis=0) if visible.sum() > 12 else _DEFAULT_IRIS
    base = np.minimum(base, 150.0)
    shape = np.clip((place - 0.28) / 0.12, 0, 1) * (1 - 0.35 * np.clip((place - 0.8) / 0.2, 0, 1))
    rings = 12 + (1.15 * base - 12) * shape[:, None]
    for k in range(_RINGS):
        band = visible & (np.abs(radius - place[k]) < 0.08)
        if band.sum() > 12:
            share = min(1.0, band.sum() / 80) * 0.7
            rings[k] = (1 - share) * rings[k] + share * np.median(seen[band], axis=0)
    return np.clip(rings, 0, 255)


def _sclera(seen: F32, sure: F32, radius: F32, skin: F32) -> F64:
    """A white that fits the photo: between what it shows and a default lit as the skin is."""
    light = np.clip(float(skin.mean()) / _FULL_LIGHT, 0.45, 1.25)
    expected = np.clip(_SCLERA * light, 0, 245)
    white = (sure > 0.5) & (radius > 1.15) & (radius < 2.2)
    if white.sum() < 30:
        return expected
    shown = seen[white]
    bright = shown.mean(1)
    shown = np.median(shown[bright >= np.quantile(bright, 0.6)], axis=0)
    grey = shown.mean()
    shown = grey + 0.6 * (shown - grey)
    scale = np.clip(grey, 0.75 * expected.mean(), 1.5 * expected.mean()) / max(grey, 1)
    return np.clip(0.7 * shown * scale + 0.3 * expected, 0, 245)
