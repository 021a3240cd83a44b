# SPDX-License-Identifier: Apache-2.0
"""Where a head is before the camera, and its weak-perspective pose from points in correspondence.

Does not know head models, identity or expression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import F32, F64

_FLIP = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class HeadPose:
    """Head space to view pixels: view = n scale (rotation p) + translation.

    scale in px/m at the head's origin; rotation (3, 3); translation (3,) px. View axes: x right,
    y up, z to the viewer (the signs of FaceFit; its third translation is the tracker's arbitrary
    depth). distance in m of the camera from the head's origin: n = 1 / (1 - z / distance) across
    the view, z in m; along it, n = 1, as the tracker guesses depth without perspective.
    """

    scale: float
    rotation: F64
    translation: F64
    distance: float = math.inf

    def to_head(self, view: F64) -> F64:
        """Return view px (L, 3) in head space (L, 3) m."""
        flat = (view - self.translation) / self.scale
        flat[:, :2] *= 1 - flat[:, 2:] / self.distance
        return flat @ self.rotation

    def to_view(self, points: F64) -> F64:
        """Return head-space points (L, 3) m in view px (L, 3)."""
        turned = points @ self.rotation.T
        turned[:, :2] /= 1 - turned[:, 2:] / self.distance
        return self.scale * turned + self.translation

    def stepped(self, turn: F64, stretch: float, shift: F64) -> HeadPose:
        """Return the pose after a small turn (3,) rad and shift (3,) m in view axes.

        stretch: change of the logarithm of the scale.
        """
        rotation = rotation_matrices(turn) @ self.rotation
        scale = self.scale * float(np.exp(np.clip(stretch, -0.5, 0.5)))
        shifted = self.translation + self.scale * shift
        return HeadPose(scale, rotation, shifted, self.distance)


def view_from_pixels(landmarks: F32 | F64) -> F64:
    """Return landmarks (L, 3) px (x right, y down, z away) in view axes (y up, z to the viewer)."""
    return np.asarray(landmarks, np.float64)[:, :3] * _FLIP


def procrustes(points: F64, view: F64, weights: F64) -> HeadPose:
    """Return the similarity that maps points (L, 3) m onto view (L, 3) px, weighted (L,).

    The closed form of Umeyama (1991). Weights need not be normalised; at least three points
    that do not lie on a line must have weight.
    """
    share = (weights / weights.sum())[:, None]
    mean_p, mean_v = (share * points).sum(0), (share * view).sum(0)
    centred = points - mean_p
    u, values, vt = np.linalg.svd((share * (view - mean_v)).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    scale = float((values * signs).sum() / (share * centred**2).sum())
    return HeadPose(scale, rotation, mean_v - scale * rotation @ mean_p)
