# SPDX-License-Identifier: Apache-2.0
"""Prior of how heads differ, on a set of points of the mean head.

Does not know meshes: points, their mirror images and linear constraints. Scanned heads say most of
it (identity_statistics), a smaller Gaussian process what they lack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F64
from rome_backend.open_head.identity_statistics import scan_modes
from rome_backend.open_head.landmark_sets import (
    INNER_LIP_PAIRS,
    LEFT_EYE_CORNERS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
)

FACE_SCALES = ((0.0009, 0.030), (0.0006, 0.010))
HEAD_SCALE = (0.0012, 0.080)
STRETCH = (0.010, 0.010, 0.012)
ASYMMETRY = 0.35
LIP_NOISE_M = 5e-5
LID_GAP_NOISE = 1.0
LID_RADIUS_NOISE_M = 2e-4
RIGID_NOISE_M = 1e-5


@dataclass(frozen=True)
class PriorPoints:
    """Points of the mean head on which identities are drawn.

    positions (N, 3) m, the 468 landmarks first; mirror (N,): each point's mirror image;
    in_face (N,): how much of the face's fine variation a point has, 0..1;
    amplitude (N,): scale of all variation, 0 where the neck must stay;
    eyes (2, 3) m: centres of the left and the right eyeball.
    """

    positions: F64
    mirror: NDArray[np.integer]
    in_face: F64
    amplitude: F64
    eyes: F64


def identity_covariance(points: PriorPoints, landmarks: int = 468) -> F64:
    """Return the covariance (3N, 3N) m^2 of displacements, ordered point by point, x y z.

    The modes of scanned heads and their mirror images, plus smooth kernels and stretches along the
    axes (mirror-symmetric up to a small asymmetric part), conditioned on closed inner lips, steady
    lid gaps and no rigid motion or change of size of the landmarks (the camera's part). Source:
    our own; the kernels are about half as large as the scans' own spread.
    """
    covariance = scan_covariance(points) + symmetrised(points, axis_kernels(points))
    constraints, noise = stacked_constraints(points, landmarks)
    return conditioned(covariance, constraints, noise)


def scan_covariance(points: PriorPoints) -> F64:
    """Return the covariance (3N, 3N) m^2 of scanned heads, made mirror-symmetric."""
    modes = scan_modes(points.positions) * points.amplitude[:, None, None]
    image = modes[points.mirror] * np.array([-1.0, 1.0, 1.0])[:, None]
    both = np.concatenate([modes, image], axis=2).reshape(3 * len(modes), -1)
    return both @ both.T / 2


def axis_kernels(points: PriorPoints) -> F64:
    """Return the kernel of each axis (3, N, N) m^2 before symmetry and constraints."""
    p = points.positions
    squared = np.sum((p[:, None] - p[None]) ** 2, axis=2)
    face = sum(sd**2 * np.exp(-squared / 2 / length**2) for sd, length in FACE_SCALES)
    sd, length = HEAD_SCALE
    smooth = np.outer(points.in_face, points.in_face) * face
    smooth = smooth + sd**2 * np.exp(-squared / 2 / length**2)
    centred = p - p[:468].mean(axis=0)
    kernels = [
        smooth + share**2 * np.outer(centred[:, axis], centred[:, axis])
        for axis, share in enumerate(STRETCH)
    ]
    return np.stack(kernels) * np.outer(points.amplitude, points.amplitude)


def symmetrised(points: PriorPoints, kernels: F64) -> F64:
    """Return the joint covariance (3N, 3N): symmetric variation and a little asymmetry.

    kernels (3, N, N). The symmetric part keeps each point's variance, also on the midline.
    """
    count = len(points.positions)
    joint = np.zeros((count, 3, count, 3))
    for axis, sign in enumerate((-1.0, 1.0, 1.0)):
        kernel = kernels[axis]
        image = sign * kernel[points.mirror]
        even = (kernel + image + sign * (kernel + image)[:, points.mirror]) / 2
        odd = (kernel - image - sign * (kernel - image)[:, points.mirror]) / 2
        shrink = np.sqrt(np.diag(kernel) / np.maximum(np.diag(even), np.diag(kernel) + 1e-12))
        joint[:, axis, :, axis] = even * np.outer(shrink, shrink) + ASYMMETRY**2 * odd
    return joint.reshape(3 * count, 3 * count)


def conditioned(covariance: F64, constraints: F64, noise: F64) -> F64:
    """Return the covariance given constraints (C, 3N) . d = 0 up to noise (C,) standard dev."""
    cross = covariance @ constraints.T
    system = constraints @ cross + np.diag(noise**2)
    return covariance - cross @ np.linalg.solve(system, cross.T)


def stacked_constraints(points: PriorPoints, landmarks: int) -> tuple[F64, F64]:
    """Return all linear constraints (C, 3N) and their noise (C,) m.

    The lid pairs are many and alike: noise of a whole gap each leaves a tenth of it together.
    """
    positions, count = points.positions, len(points.positions)
    rows, noise = [], []
    for upper, lower in INNER_LIP_PAIRS:
        rows += [difference_row(count, upper, lower, axis) for axis in range(3)]
        noise += [LIP_NOISE_M] * 3
    left = (LEFT_UPPER_LID, LEFT_LOWER_LID, LEFT_EYE_CORNERS)
    right = tuple(tuple(int(k) for k in points.mirror[list(part)]) for part in left)
    for (upper_lid, lower_lid, corners), centre in zip((left, right), points.eyes, strict=True):
        for upper, lower in zip(upper_lid, lower_lid, strict=True):
            rows.append(difference_row(count, upper, lower, 1))
            noise.append(LID_GAP_NOISE * abs(positions[upper, 1] - positions[lower, 1]))
        lids = upper_lid + lower_lid + corners
        rows += list(radius_rows(positions, lids, centre))
        noise += [LID_RADIUS_NOISE_M] * len(lids)
    rigid = rigid_rows(positions, landmarks)
    return np.array([*rows, *rigid]), np.array([*noise, *[RIGID_NOISE_M] * len(rigid)])


def difference_row(count: int, first: int, second: int, axis: int) -> F64:
    """Return the row (3 count,) that takes the difference of two points along an axis."""
    row = np.zeros((count, 3))
    row[first, axis], row[second, axis] = 1.0, -1.0
    return row.ravel()


def radius_rows(positions: F64, members: tuple[int, ...], centre: F64) -> F64:
    """Return rows (M, 3N): how far each member leaves the eyeball that moves with their mean."""
    ids = list(members)
    arm = positions[ids] - centre
    radial = arm / np.linalg.norm(arm, axis=1, keepdims=True)
    rows = np.zeros((len(ids), len(positions), 3))
    rows[:, ids] = -radial[:, None] / len(ids)
    rows[np.arange(len(ids)), ids] += radial
    return rows.reshape(len(ids), -1)


def rigid_rows(positions: F64, landmarks: int) -> F64:
    """Return rows (7, 3N): mean translation, turn and change of size of the landmarks."""
    rows = np.zeros((7, len(positions), 3))
    arm = positions[:landmarks] - positions[:landmarks].mean(axis=0)
    for axis in range(3):
        rows[axis, :landmarks, axis] = 1.0
        rows[3 + axis, :landmarks] = np.cross(np.eye(3)[axis], arm)
    rows[6, :landmarks] = arm
    flat = rows.reshape(7, -1)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)
