# SPDX-License-Identifier: Apache-2.0
"""Invented skin, lips, brows and eyes on the texels of a head model.

Does not know hair, clothes, light or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.texture.atlas import Atlas
from training.data.synthetic.noise import smooth_field, smooth_step

# sRGB, from the darkest skin to the fairest.
_TONES = np.array(
    [[52, 34, 28], [88, 58, 45], [138, 92, 68], [186, 134, 104], [220, 170, 142], [236, 196, 176]],
    np.float64,
)
_IRISES = np.array(
    [[58, 36, 22], [92, 58, 34], [118, 92, 52], [96, 110, 72], [104, 130, 142], [120, 150, 178]],
    np.float64,
)
_BROWS = (  # MediaPipe's upper and lower line of each brow, from the temple inwards
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
_IRIS_RADIUS = 0.0059  # m
_PUPIL = (0.28, 0.5)  # of the iris
_SCLERA = np.array([218.0, 210.0, 206.0])


@dataclass(frozen=True)
class Skin:
    """tone (3,) sRGB 0..255: the skin's mean; lips (3,): what lips are multiplied with;
    iris (3,); pupil: its share of the iris; brow: darkness 0..1; stubble 0..1; spots 0..1;
    ruddy: redness of cheeks and nose 0..1."""

    tone: F64
    lips: F64
    iris: F64
    pupil: float
    brow: float
    stubble: float
    spots: float
    ruddy: float


def draw_skin(random: np.random.Generator) -> Skin:
    """Return the skin of an invented person."""
    place = random.uniform(0, len(_TONES) - 1)
    tone = np.stack([np.interp(place, range(len(_TONES)), each) for each in _TONES.T])
    tone *= random.normal(1, 0.03, 3) * random.normal(1, 0.04)
    painted = random.random() < 0.25
    red = random.uniform(0.45, 0.8) if painted else random.uniform(0.72, 0.95)
    iris = _IRISES[random.integers(len(_IRISES))] * random.normal(1, 0.08, 3)
    return Skin(
        tone=np.clip(tone, 20, 245),
        lips=np.array([1.0 if not painted else 1.05, red, random.uniform(0.9, 1.05) * red]),
        iris=np.clip(iris, 15, 220),
        pupil=random.uniform(*_PUPIL),
        brow=random.uniform(0.45, 0.95),
        stubble=max(0.0, random.uniform(-0.6, 0.6)),
        spots=max(0.0, random.uniform(-0.5, 1.0)),
        ruddy=random.uniform(0.1, 0.8),
    )


def skin_colours(
    random: np.random.Generator,
    skin: Skin,
    head: HeadModel,
    atlas: Atlas,
    regions: dict[str, F32],
    hair_colour: F64,
) -> F32:
    """Return the colours (P, 3) sRGB 0..255 of all texels as if they were skin, lips and brows.

    hair_colour: of brows and beard, never fairer than the skin allows;
    regions: masks (P,) on the texels (palette.region_texels).
    """
    points = atlas.spread(head.template)
    hair_colour = np.minimum(hair_colour, 0.6 * skin.tone)
    shade = np.ones((len(points), 1), np.float32)
    for wavelength, size in ((0.05, 0.025), (0.012, 0.02), (0.003, 0.02), (0.0012, 0.025)):
        shade += size * smooth_field(random, points, wavelength)[:, None]
    colour = skin.tone.astype(np.float32) * shade
    colour *= 1 - 0.06 * skin.ruddy * _ruddiness(random, head, points)[:, None] * _GREENISH
    colour = _spotted(random, skin, points, colour)
    lips = smooth_step(regions["lips"], 0.25, 0.75)[:, None]
    colour *= 1 + lips * (skin.lips.astype(np.float32) - 1)
    colour *= 1 - 0.1 * lips * np.abs(smooth_field(random, points, 0.002))[:, None]
    beard = skin.stubble * _beard(head, points) * (1 - lips[:, 0])
    beard = beard * (0.6 + 0.4 * (smooth_field(random, points, 0.0009) > 0))
    colour += (0.5 * hair_colour - colour) * np.clip(beard, 0, 0.7)[:, None]
    brow = skin.brow * brow_share(random, head, points)
    return np.asarray(colour + (hair_colour - colour) * brow[:, None], np.float32)


_GREENISH = np.array([0.2, 1.6, 1.4], np.float32)  # what blood takes out of the light


def _ruddiness(random: np.random.Generator, head: HeadModel, points: F32) -> F32:
    """How flushed each texel (P,) is: cheeks and nose."""
    found = np.zeros(len(points), np.float32)
    for index, radius in ((50, 0.022), (280, 0.022), (4, 0.014)):
        centre = _landmark(head, (index,))[0]
        found += np.exp(-((points - centre) ** 2).sum(1) / radius**2).astype(np.float32)
    return found * (1 + 0.3 * smooth_field(random, points, 0.01))


def _spotted(random: np.random.Generator, skin: Skin, points: F32, colour: F32) -> F32:
    """Add freckles and a few moles."""
    freckles = smooth_step(smooth_field(random, points, 0.0035), 1.5, 2.4)
    colour = colour * (1 - 0.25 * skin.spots * freckles[:, None])
    count = random.integers(0, 7)
    if count:
        chosen = points[random.integers(len(points), size=count)]
        away, _ = cKDTree(chosen).query(points, distance_upper_bound=0.004)
        colour = (
            colour * (1 - 0.5 * smooth_step(-away.astype(np.float32), -0.0022, -0.0012))[:, None]
        )
    return np.asarray(colour, np.float32)


def _beard(head: HeadModel, points: F32) -> F32:
    """Where a beard grows (P,): cheeks' lower part, chin, upper lip."""
    nose, chin = _landmark(head, (2, 152))
    edge = float(nose[1]) - 0.9 * np.clip(0.06 - np.abs(points[:, 0]), 0, 0.035) + 0.02
    edge = np.where(np.abs(points[:, 0]) < 0.03, float(nose[1]) + 0.002, edge)
    low = smooth_step((edge - points[:, 1]).astype(np.float32), -0.004, 0.016)
    not_neck = smooth_step(points[:, 1], float(chin[1]) - 0.03, float(chin[1]))
    return low * not_neck * smooth_step(points[:, 2], -0.07, -0.03)


def brow_share(random: np.random.Generator, head: HeadModel, points: F32) -> F32:
    """How much of each texel (P,) is brow: dense in the middle of its two lines, with hairs."""
    share = np.zeros(len(points), np.float32)
    for upper, lower in _BROWS:
        top, bottom = _landmark(head, upper), _landmark(head, lower)
        steps = np.linspace(0, 1, 40)[:, None]
        line, half = (
            np.stack([np.interp(steps[:, 0] * 4, range(5), each) for each in rows.T], -1)
            for rows in ((top + bottom) / 2, np.linalg.norm(top - bottom, axis=1)[:, None] / 2)
        )
        away, at = cKDTree(line).query(points)
        width = np.maximum(half[at, 0], 0.0022)
        share = np.maximum(share, smooth_step(-(away / width).astype(np.float32), -1.25, -0.5))
    hairs = 0.75 + 0.25 * smooth_field(random, points * np.array([1, 2.5, 1], np.float32), 0.0016)
    return np.clip(share * hairs, 0, 1).astype(np.float32)


def eye_colours(
    random: np.random.Generator, skin: Skin, head: HeadModel, atlas: Atlas, name: str
) -> tuple[F32, np.ndarray]:
    """Return the colours (Q, 3) of an eyeball's texels and their places (Q,) in the atlas.

    name: ``left_eyeball`` or ``right_eyeball``.
    """
    mask = head.regions[name]
    texels = np.flatnonzero(atlas.spread(mask.astype(np.float32)) > 0.5)
    low, high = head.template[mask].min(0), head.template[mask].max(0)
    away = atlas.spread(head.template)[texels] - (low + high) / 2
    side = np.hypot(away[:, 0], away[:, 1])
    front = away[:, 2] > 0
    radius = np.where(front, side / _IRIS_RADIUS, 9.0).astype(np.float32)
    turn = np.arctan2(away[:, 1], away[:, 0])
    rays = sum(np.cos(n * turn + random.uniform(0, 6.3)) for n in (9, 17, 31)) / 3
    iris = skin.iris * (0.95 + 0.35 * (radius - 0.5) + 0.22 * rays)[:, None]
    iris *= (1 - 0.6 * smooth_step(radius, 0.82, 1.0))[:, None]
    iris *= smooth_step(radius, skin.pupil - 0.06, skin.pupil + 0.04)[:, None]
    veins = 1 - 0.05 * np.clip(radius - 1.2, 0, 2)[:, None] * np.array([0.2, 1.0, 1.0])
    white = _SCLERA * veins * (0.7 + 0.3 * skin.tone.mean() / 255)
    inside = smooth_step(-radius, -1.06, -0.96)[:, None]
    return (iris * inside + white * (1 - inside)).astype(np.float32), texels


def _landmark(head: HeadModel, indices: tuple[int, ...]) -> F64:
    """Return MediaPipe's landmarks (L, 3) m on the neutral head."""
    points = landmark_points(head.template, head.faces, head.landmarks)
    place = {int(index): row for row, index in enumerate(head.landmarks.indices)}
    return points[[place[index] for index in indices]]
