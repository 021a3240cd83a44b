# SPDX-License-Identifier: Apache-2.0
"""Keeps lids outside the eyeballs when an expression is fully on.

Does not know which expression it corrects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, identity
from scipy.spatial import cKDTree

from rome_backend.core.types import F64, Mask
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.laplacian import adjacency

I64 = NDArray[np.int64]
EYEBALLS = {"left_eyeball": 3, "right_eyeball": 4}
CLEARANCE_M = 0.0005
FRONT = 0.2
# At these slider values lids are pushed out of the eye, each time by this part.
ON_THE_WAY = ((0.5, 0.9), (0.75, 0.9), (1.0, 0.9)) * 3
LINING_FADE_M, NEAR_EYE_M = 0.008, 0.025
FARTHEST_OFF_M = 0.001


def eye_radius(ball: F64, centre: F64, directions: F64) -> F64:
    """Return the eyeball's radius (N,) m in unit directions (N, 3); the cornea counts.

    ball (E, 3) m: the eyeball's vertices. The largest radius of the three nearest is taken.
    """
    arms = ball - centre
    radii = np.linalg.norm(arms, axis=1)
    _, nearest = cKDTree(arms / radii[:, None]).query(directions, k=3)
    return radii[nearest].max(axis=1)


def penetration(geometry: HeadGeometry, delta: F64, value: float = 1.0) -> F64:
    """Return the radial push (V, 3) m that frees the skin from the eyeballs at a slider value.

    delta (V, 3) m. What is nearer than the clearance in the mean head may stay as near as it is
    unless it moves; only the front of the eyeball pushes, and only the outer skin.
    """
    push = np.zeros_like(delta)
    skin, outer = slice(0, geometry.skin_count), geometry.skin_region("face")
    moved, joints = geometry.vertices + value * delta, geometry.joints
    for region, joint in EYEBALLS.items():
        centre = joints[joint]
        ball = moved[geometry.regions[region]]
        arms = moved[skin] - centre
        length = np.linalg.norm(arms, axis=1)
        reach = np.linalg.norm(ball - centre, axis=1).max() + CLEARANCE_M
        near = np.flatnonzero(outer & (length < reach) & (arms[:, 2] > FRONT * reach))
        if not len(near):
            continue
        out = arms[near] / length[near, None]
        travelled = np.linalg.norm(value * delta[near], axis=1)
        at_rest = rest_clearance(geometry, region, centre, near)
        clearance = np.minimum(CLEARANCE_M, at_rest + 0.5 * travelled)
        wanted = eye_radius(ball, centre, out) + clearance
        push[near] += out * np.maximum(wanted - length[near], 0.0)[:, None]
    return push


def rest_clearance(geometry: HeadGeometry, region: str, centre: F64, numbers: I64) -> F64:
    """Return how far skin vertices (N,) stand off an eyeball in the mean head: (N,) m."""
    rest = geometry.skin_vertices[numbers] - centre
    length = np.linalg.norm(rest, axis=1)
    ball = geometry.vertices[geometry.regions[region]]
    return length - eye_radius(ball, centre, rest / length[:, None])


def onto_left_eye(geometry: HeadGeometry, delta: F64, numbers: I64) -> F64:
    """Return moves (N, 3) m that bring skin vertices back which stand too far off the left eye.

    Only the part of a vertex's distance beyond `FARTHEST_OFF_M` counts, and what the move added.
    """
    centre = geometry.joints[EYEBALLS["left_eyeball"]]
    ball = geometry.vertices[geometry.regions["left_eyeball"]]
    arms = geometry.vertices[numbers] + delta[numbers] - centre
    length = np.linalg.norm(arms, axis=1, keepdims=True)
    off = length[:, 0] - eye_radius(ball, centre, arms / length)
    before = rest_clearance(geometry, "left_eyeball", centre, numbers)
    excess = np.maximum(off - np.maximum(before, FARTHEST_OFF_M), 0.0)
    return -arms / length * excess[:, None]


def near_eyes(geometry: HeadGeometry) -> Mask:
    """Return the vertices (V,) that may come near an eyeball, the eyeballs included."""
    centres = geometry.joints[list(EYEBALLS.values())]
    away = np.linalg.norm(geometry.vertices[:, None] - centres, axis=2).min(axis=1)
    return np.asarray(away < NEAR_EYE_M)


def keep_off_eyes(
    geometry: HeadGeometry, delta: F64, values: Sequence[tuple[float, float]] = ON_THE_WAY
) -> F64:
    """Return delta (V, 3) m with lids pushed radially out of the eyeballs at value 1.

    On the way the lids travel on the chord of an arc: what they sink in there is mostly made up
    for, which keeps a half blink on the eye without a bulging full blink. Pushes are spread over
    neighbours, so that lids stay smooth. values: slider values and parts of the push, in turn.
    """
    if not delta[near_eyes(geometry)].any():
        return line_sockets(geometry, delta)
    blur = _blur(geometry)
    for value, share in values:
        push = penetration(geometry, delta, value)
        if push.any():
            delta = delta + share / value * (blur @ push)
    return line_sockets(geometry, delta + penetration(geometry, delta, 1.0))


def _blur(geometry: HeadGeometry) -> csr_matrix:
    """Return the matrix (V, V) that averages twice over the neighbours, the vertex included."""
    count = len(geometry.vertices)
    once = adjacency(geometry.skin_faces, count) + identity(count, format="csr")
    once = diags(1 / np.asarray(once.sum(axis=1)).ravel()) @ once
    return csr_matrix(once @ once)


def line_sockets(geometry: HeadGeometry, delta: F64) -> F64:
    """Return delta (V, 3) m whose socket linings follow the lid edge that they hang from."""
    delta = delta.copy()
    face = geometry.skin_region("face")
    for region in ("left_eye_region", "right_eye_region"):
        eye = geometry.skin_region(region)
        lining, lids = np.flatnonzero(eye & ~face), np.flatnonzero(eye & face)
        tree = cKDTree(geometry.vertices[lids])
        distance, nearest = tree.query(geometry.vertices[lining])
        follow = np.exp(-((distance / LINING_FADE_M) ** 2))
        delta[lining] = delta[lids[nearest]] * follow[:, None]
    return delta
