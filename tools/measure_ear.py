# SPDX-License-Identifier: Apache-2.0
"""Measures an ear as a relief: how far a surface rises over the plane the ear lies in.

Does not know the open head's numbering: it gives points ring by ring, as its ear is made of them.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import (
    gaussian_filter,
    gaussian_filter1d,
    grey_closing,
    map_coordinates,
    median_filter,
)

from rome_backend.core.types import F64, I32, Mask

# The left ear's plane stands 25 degrees off the head; u runs backwards in it, v upwards.
ANGLE = np.radians(25.0)
OUT = np.array([np.cos(ANGLE), 0.0, np.sin(ANGLE)])
BACK = np.array([np.sin(ANGLE), 0.0, -np.cos(ANGLE)])
UP = np.array([0.0, 1.0, 0.0])
ORIGIN = np.array([0.08, -0.025, -0.085])
STEP, HALF, SAMPLES = 0.00025, 0.05, 44
# The middle of the concha and points round the ear, in mm in its plane, drawn after a picture.
CONCHA = np.array([0.0015, -0.006])
DRAWN = np.array(
    [
        (-4.3, 12), (-1.4, 17.8), (2.9, 22.1), (7.2, 23.5), (14.3, 21.5), (19.2, 14.9),
        (20.9, 6.3), (20.1, -2.3), (16.6, -10.9), (10, -18.7), (2.9, -25.3), (-4.3, -29.6),
        (-11.5, -31), (-17.8, -30.7), (-20, -24), (-17.5, -14), (-16, -5), (-12, 3), (-8, 8.5),
    ]
)  # fmt: skip
# Ears of photos sit higher and are larger than the model's.
MOVE, SCALE = np.array([0.0012, 0.009, -0.001]), 1.08
# Rings behind the ear: size where it is free, size where it is grown to the cheek, height between
# head and rim, how far they stay under the front, in m.
BEHIND = (
    (0.62, 1.15, 0.0, 0.0045),
    (0.72, 1.115, 0.35, 0.0032),
    (0.82, 1.08, 0.62, 0.0026),
    (0.93, 1.05, 0.85, 0.0020),
    (0.995, 1.022, 1.0, 0.0),
)
FRONT = (1.0, 0.955, 0.90, 0.83, 0.75, 0.66, 0.55, 0.43, 0.29, 0.15)
THICKNESS, ON_CHEEK = 0.0022, 0.004
GROWN = ((98.0, 22.0), (236.0, 14.0))  # degrees, from the back over the top: grown to the cheek


class EarRelief:
    """Heights over the ear's plane and the ear's outline in it."""

    def __init__(self, vertices: F64, faces: I32) -> None:
        self.heights = relief(vertices - ORIGIN, faces)
        holes = self.heights < -0.5
        filled = np.where(holes, self.heights[~holes].min(), self.heights)
        self.smooth = gaussian_filter(filled, 1.2)
        self.angles = np.linspace(0, 2 * np.pi, 721)[:-1]
        self.radii = self._outline()
        self.head = self._head_below()

    def height(self, uv: F64, sharp: bool = False) -> F64:
        """Return heights (N,) m at uv (N, 2) m of the plane."""
        place = [(uv[:, 1] + HALF) / STEP, (uv[:, 0] + HALF) / STEP]
        image = self.heights if sharp else self.smooth
        return map_coordinates(image, place, order=1, mode="nearest")

    def radius(self, angle: F64) -> F64:
        """Return the outline's distance (N,) m from the concha; angle 0 is the back."""
        ends = np.r_[self.angles, 2 * np.pi], np.r_[self.radii, self.radii[0]]
        return np.interp(angle % (2 * np.pi), *ends)

    def at(self, angle: F64, size: F64 | float) -> F64:
        """Return points (N, 2) m of the plane at a size relative to the outline."""
        direction = np.column_stack([np.cos(angle), np.sin(angle)])
        return CONCHA + direction * np.asarray(size * self.radius(angle))[:, None]

    def _outline(self) -> F64:
        """Return radii (720,) m: drawn, moved to where the height drops off the free rim."""
        arms = DRAWN / 1000 - CONCHA
        angle = np.arctan2(arms[:, 1], arms[:, 0]) % (2 * np.pi)
        order = np.argsort(angle)
        length = np.linalg.norm(arms, axis=1)[order]
        radii = np.interp(self.angles, angle[order], length, period=2 * np.pi)
        free = grown(self.angles) < 0.3
        for k in np.flatnonzero(free):
            ways = np.arange(radii[k] - 0.0028, radii[k] + 0.0032, 0.0002)
            direction = np.array([np.cos(self.angles[k]), np.sin(self.angles[k])])
            heights = self.height(CONCHA + ways[:, None] * direction, sharp=True)
            drop = heights[:-4] - heights[4:]
            if drop.max() > 0.002:
                radii[k] = ways[int(np.argmax(drop)) + 1]
        return gaussian_filter1d(median_filter(radii, 61, mode="wrap"), 9, mode="wrap")

    def _head_below(self) -> RBFInterpolator:
        """Return the head's own surface below the ear, continued from round it."""
        angle = np.linspace(0, 2 * np.pi, 49)[:-1]
        points = np.concatenate([self.at(angle, size) for size in (1.22, 1.4, 1.6)])
        return RBFInterpolator(points * 100, self.height(points), smoothing=1e-4)

    def rings(self, count: int, start: float) -> list[F64]:
        """Return points (count, 3) m of the root, the rings behind and in front of the ear, and
        (1, 3) of the concha; start: angle of the first point in rad."""
        angle = self._spread_angles(count, start)
        on_cheek = grown(angle)
        rim = self.height(self.at(angle, 0.975))
        result = []
        for free, near, part, under in BEHIND:
            uv = self.at(angle, free * (1 - on_cheek) + near * on_cheek)
            head, front = self.head(uv * 100), self.height(uv)
            behind = np.minimum(head + (rim - THICKNESS - head) * part, front - under)
            cheek = np.minimum(front, head + ON_CHEEK)
            heights = behind * (1 - on_cheek) + cheek * on_cheek
            result.append(in_space(uv, gaussian_filter1d(heights, 1.0, mode="wrap")))
        for size in FRONT:
            uv = self.at(angle, size)
            heights = self.height(uv)
            if size == FRONT[0]:
                heights = (rim - 0.0004) * (1 - on_cheek) + heights * on_cheek
            result.append(in_space(uv, heights))
        return [*result, in_space(CONCHA[None], self.height(CONCHA[None]))]

    def _spread_angles(self, count: int, start: float) -> F64:
        """Return angles (count,): a third even in angle, two thirds along the outline."""
        fine = np.linspace(start, start + 2 * np.pi, 2000)
        steps = np.linalg.norm(np.diff(self.at(fine, 1.0), axis=0), axis=1)
        length = np.r_[0, np.cumsum(steps)]
        along = np.interp(np.linspace(0, length[-1], count + 1), length, fine)
        even = np.linspace(start, start + 2 * np.pi, count + 1)
        return ((even + 2 * along) / 3)[:-1]

    def covers(self, points: F64) -> Mask:
        """Return which points (N, 3) m belong to an ear, where it was measured or is put."""
        left = np.column_stack([np.abs(points[:, 0]), points[:, 1:]])
        return self._inside(left) | self._inside(left - MOVE)

    def _inside(self, points: F64) -> Mask:
        arms = points - ORIGIN
        flat = np.column_stack([arms @ BACK, arms @ UP]) - CONCHA
        reach = 1.10 * self.radius(np.arctan2(flat[:, 1], flat[:, 0]))
        near = (points[:, 0] > 0.05) & (np.abs(arms @ OUT) < 0.03)
        return near & (np.linalg.norm(flat, axis=1) < reach)


def relief(vertices: F64, faces: I32) -> F64:
    """Return the largest heights (401, 401) m of triangles over the ear's plane, rows along v;
    -1 where there is none."""
    arms = vertices[faces].mean(axis=1)
    near = (np.abs(arms @ BACK) < HALF + 0.01) & (np.abs(arms @ UP) < HALF + 0.01)
    a, b, c = np.moveaxis(vertices[faces[near & (arms @ OUT > -0.03)]], 1, 0)
    grid = np.arange(SAMPLES + 1) / SAMPLES
    share = np.array([(s, t) for s in grid for t in grid if s + t < 1 + 1e-9])
    points = a[:, None] + (b - a)[:, None] * share[:, :1] + (c - a)[:, None] * share[:, 1:]
    points = points.reshape(-1, 3)
    size = round(2 * HALF / STEP) + 1
    place = np.round((points @ np.column_stack([UP, BACK]) + HALF) / STEP).astype(int)
    inside = ((place >= 0) & (place < size)).all(axis=1)
    heights = np.full((size, size), -1.0)
    np.maximum.at(heights, tuple(place[inside].T), (points @ OUT)[inside])
    return grey_closing(heights, (9, 9))


def grown(angle: F64) -> F64:
    """Return how far (N,) the ear is grown to the cheek at angles in rad: 0 free, 1 grown."""
    degrees = (np.degrees(angle) + 90.0) % 360.0 - 90.0
    (top, top_fade), (bottom, bottom_fade) = GROWN
    rise = np.clip((degrees - top) / top_fade, 0, 1)
    fall = np.clip((bottom - degrees) / bottom_fade, 0, 1)
    part = np.minimum(rise, fall)
    return part * part * (3 - 2 * part)


def start_angle(first: F64) -> float:
    """Return the angle in the ear's plane of the ring's first point (3,) m."""
    arm = first - ORIGIN
    return float(np.arctan2(arm @ UP - CONCHA[1], arm @ BACK - CONCHA[0]))


def in_space(uv: F64, height: F64) -> F64:
    """Return points (N, 3) m of the ear where the open head has it."""
    arms = uv[:, :1] * BACK + uv[:, 1:] * UP + height[:, None] * OUT
    return ORIGIN + MOVE + SCALE * arms
