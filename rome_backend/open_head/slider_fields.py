# SPDX-License-Identifier: Apache-2.0
"""Smooth mirror-symmetric displacement fields that identity sliders are made of.

Does not know which sliders there are; it sees points, a few places on a face and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from rome_backend.core.types import F64, HeadModel
from rome_backend.open_head.landmark_sets import (
    LEFT_EYE_CORNERS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
)
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks

MIRROR = np.array([-1.0, 1.0, 1.0])
_NECK_FADE_M = 0.07
_EAR_FADE_M = 0.008
_LID_REACH = (1.15, 1.9)  # of the eyeball's radius: lids glide on the ball, beyond they need not


@dataclass(frozen=True)
class FacePlaces:
    """A head's surface and its places.

    points (V, 3) m; landmarks (478, 3) m: MediaPipe's; those a head lacks follow from the mean
    face; eyes (2, 3) m: centres of the eyeballs, left first; ear (V,): 0 off the ears .. 1.
    """

    points: F64
    landmarks: F64
    eyes: F64
    ear: F64


def face_places(head: HeadModel) -> FacePlaces:
    """Return the places of a head model's template."""
    points = head.template.astype(np.float64)
    corners = points[head.faces[head.landmarks.faces]]
    known = np.einsum("lc,lcx->lx", head.landmarks.barycentric.astype(np.float64), corners)
    mean = np.column_stack([mean_face(), np.ones(478)])
    affine = np.linalg.lstsq(mean[head.landmarks.indices], known, rcond=None)[0]
    landmarks = mean @ affine
    landmarks[head.landmarks.indices] = known
    landmarks = (landmarks + landmarks[mirror_landmarks()] * MIRROR) / 2
    eyes = (head.joint_regressor[3:5] @ head.template).astype(np.float64)
    ear = np.zeros(len(points))
    if "ears" in head.regions and head.regions["ears"].any():
        gap = np.asarray(cKDTree(points[head.regions["ears"]]).query(points)[0])
        ear = np.exp(-((gap / _EAR_FADE_M) ** 2))
    return FacePlaces(points, landmarks, eyes, ear)


def push(points: F64, centre: F64, size: F64, vector: F64) -> F64:
    """Return (V, 3): a Gaussian bump at a place and its mirror image, moved along a vector.

    centre, size, vector (3,) m; size: standard deviations along the axes.
    """
    total = np.zeros_like(points)
    for side in _sides(centre):
        total += bump(points, centre * side, size)[:, None] * (vector * side)
    return total


def grow(points: F64, centre: F64, size: F64, factor: F64) -> F64:
    """Return (V, 3): what lies round a place and its mirror image scaled by 1 + factor (3,)."""
    total = np.zeros_like(points)
    for side in _sides(centre):
        middle = centre * side
        total += bump(points, middle, size)[:, None] * (points - middle) * factor
    return total


def bump(points: F64, centre: F64, size: F64) -> F64:
    """Return (V,): exp(-|(p - centre) / size|^2 / 2)."""
    return np.exp(-0.5 * np.sum(((points - centre) / size) ** 2, axis=1))


def ramp(values: F64, start: float, end: float) -> F64:
    """Return 0 up to start, 1 from end on, with zero slope at both (start may exceed end)."""
    part = np.clip((values - start) / (end - start), 0.0, 1.0)
    return part**3 * (10 - 15 * part + 6 * part**2)


def _sides(centre: F64) -> tuple[F64, ...]:
    return (np.ones(3), MIRROR) if abs(centre[0]) > 1e-4 else (np.ones(3),)


class Finisher:
    """Makes fields fit for a head: the neck's border stays, lids glide, loose parts move rigidly.

    Args:
        head: the head model; places: of its template.
    """

    def __init__(self, head: HeadModel, places: FacePlaces) -> None:
        self._places = places
        points = places.points
        self._fade = ramp(points[:, 1], points[:, 1].min() + 0.005, _low(points) + _NECK_FADE_M)
        count, label = connected_components(adjacency(head.faces, len(points)), directed=False)
        sizes = np.bincount(label, minlength=count)
        self._parts = [label == k for k in range(count) if k != sizes.argmax()]
        balls = [head.regions["left_eyeball"], head.regions["right_eyeball"]]
        self._radius = [
            float(np.linalg.norm(points[ball] - eye, axis=1).mean()) if ball.any() else 0.0
            for ball, eye in zip(balls, places.eyes, strict=True)
        ]
        left = np.array(LEFT_UPPER_LID + LEFT_LOWER_LID + LEFT_EYE_CORNERS)
        lids = (left, mirror_landmarks()[left])
        tree = cKDTree(points)
        self._lids = [np.asarray(tree.query(places.landmarks[lid])[1]) for lid in lids]

    def __call__(self, field: F64) -> F64:
        """Return a field (V, 3) m finished."""
        field = field * self._fade[:, None]
        moves = [field[lid].mean(axis=0) for lid in self._lids]
        for eye, radius, move in zip(self._places.eyes, self._radius, moves, strict=True):
            field = field - self._leaving(eye, radius, field - move)
        result = field.copy()
        for part in self._parts:
            middle = self._places.points[part].mean(axis=0)
            eye = np.linalg.norm(self._places.eyes - middle, axis=1)
            result[part] = moves[int(eye.argmin())] if eye.min() < 0.012 else field[part].mean(0)
        return result

    def _leaving(self, eye: F64, radius: float, relative: F64) -> F64:
        """Return the part of a motion relative to an eyeball (V, 3) that leaves its surface."""
        arm = self._places.points - eye
        length = np.linalg.norm(arm, axis=1)
        normal = arm / np.maximum(length, 1e-9)[:, None]
        near = ramp(length, _LID_REACH[1] * radius, _LID_REACH[0] * radius)
        return (near * np.einsum("vx,vx->v", relative, normal))[:, None] * normal


def _low(points: F64) -> float:
    return float(points[:, 1].min())
