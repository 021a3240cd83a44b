# SPDX-License-Identifier: Apache-2.0
"""Carries region masks from one head model to another mesh of a head.

Does not know FLAME, nor where either mesh comes from.

Our own method: a similarity brings the landmarks that both heads have onto each other, a smooth
shift brings the ears onto each other, then every vertex takes the regions of the nearest surface
point.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F64, I32, HeadModel, LandmarkTable, Mask

_EYEBALLS = ("left_eyeball", "right_eyeball")
_CANDIDATES = 24
# Ears: a normal counts as much as this distance; how far they may be off; how far a shift reaches.
_NORMAL_LENGTH, _EAR_SEARCH, _EAR_REACH = 0.02, 0.012, 0.025  # m
_EAR_STEPS = 12


def similarity(source: Any, target: Any) -> tuple[float, F64, F64]:
    """Return scale, rotation (3, 3) and shift (3,): target ~ scale R source + shift.

    source, target (N, 3) m, at least three points not on a line. Least squares, no reflection
    (Umeyama 1991).
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    middle, goal = source.mean(0), target.mean(0)
    left, sizes, right = np.linalg.svd((target - goal).T @ (source - middle))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((sizes * signs).sum() / ((source - middle) ** 2).sum())
    return scale, rotation, goal - scale * rotation @ middle


def nearest_surface(points: Any, vertices: Any, faces: Any) -> tuple[I32, F64, F64]:
    """Return the face (N,), barycentric weights (N, 3) and distance (N,) nearest to each point.

    points (N, 3), vertices (V, 3) m; faces (F, 3). Exact among the faces whose middles are
    nearest, which is exact for meshes without needle-like faces.
    """
    points, corners = np.asarray(points, np.float64), np.asarray(vertices, np.float64)[faces]
    count = min(_CANDIDATES, len(corners))
    near = cKDTree(corners.mean(1)).query(points, k=count)[1].reshape(len(points), count)
    weights = _nearest_weights(points[:, None], corners[near])
    found = np.einsum("nkc,nkcd->nkd", weights, corners[near])
    distances = np.linalg.norm(found - points[:, None], axis=-1)
    best = distances.argmin(1)
    rows = np.arange(len(points))
    return near[rows, best].astype(np.int32), weights[rows, best], distances[rows, best]


def _nearest_weights(points: F64, corners: F64) -> F64:
    """Return barycentric weights (..., 3) of the nearest points on triangles (..., 3, 3)."""
    a, edges = corners[..., 0, :], corners[..., 1:, :] - corners[..., :1, :]
    gram = np.einsum("...id,...jd->...ij", edges, edges)
    side = np.einsum("...id,...d->...i", edges, points - a)
    determinant = gram[..., 0, 0] * gram[..., 1, 1] - gram[..., 0, 1] ** 2
    safe = np.where(determinant > 1e-30, determinant, 1.0)
    v = (gram[..., 1, 1] * side[..., 0] - gram[..., 0, 1] * side[..., 1]) / safe
    w = (gram[..., 0, 0] * side[..., 1] - gram[..., 0, 1] * side[..., 0]) / safe
    inside = (determinant > 1e-30) & (v >= 0) & (w >= 0) & (v + w <= 1)
    candidates = [np.stack([1 - v - w, v, w], -1)]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        edge = corners[..., j, :] - corners[..., i, :]
        length = np.maximum((edge**2).sum(-1), 1e-30)
        along = np.clip(((points - corners[..., i, :]) * edge).sum(-1) / length, 0, 1)
        weights = np.zeros_like(candidates[0])
        weights[..., i], weights[..., j] = 1 - along, along
        candidates.append(weights)
    found = np.stack(candidates, -2)
    places = np.einsum("...kc,...cd->...kd", found, corners)
    distances = ((places - points[..., None, :]) ** 2).sum(-1)
    distances[..., 0] = np.where(inside, distances[..., 0], np.inf)
    best = distances.argmin(-1)
    return np.take_along_axis(found, best[..., None, None], -2)[..., 0, :]


def _ears_settled(source: HeadModel, vertices: F64, faces: Any) -> F64:
    """Return vertices (V, 3) shifted near each ear so that it lies on the source's ear.

    Faces align the front of two heads; their ears may still be a centimetre apart.
    """
    ears = source.regions.get("ears")
    if ears is None:
        return vertices
    normals = vertex_normals(vertices, faces)
    targets = np.concatenate([vertices, normals * _NORMAL_LENGTH], 1)
    source_normals = vertex_normals(source.template, source.faces)
    result = vertices.copy()
    for side in (1, -1):
        chosen = ears & (side * source.template[:, 0] > 0)
        if not chosen.any():
            continue
        points = source.template[chosen].astype(np.float64)
        near = np.linalg.norm(vertices - points.mean(0), axis=1) < 3 * _EAR_REACH
        if not near.any():
            continue
        shift = _best_shift(points, source_normals[chosen] * _NORMAL_LENGTH, targets[near])
        radius = np.linalg.norm(points - points.mean(0), axis=1).max()
        away = np.linalg.norm(vertices - points.mean(0) - shift, axis=1) - radius
        fading = np.exp(-((np.maximum(away, 0) / _EAR_REACH) ** 2))
        result -= fading[:, None] * shift
    return result


def _best_shift(points: F64, normals: F64, targets: F64) -> F64:
    """Return the shift (3,) m of points (N, 3) that brings them nearest to targets (M, 6).

    Iterated closest points with normals (Besl and McKay 1992), translation only, from a grid of
    starts; no shift at all is tried first and wins ties.
    """
    tree = cKDTree(targets)
    steps = np.array([0.0, -_EAR_SEARCH, _EAR_SEARCH])
    best, least = np.zeros(3), np.inf
    for start in np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3):
        shift = start
        for _ in range(_EAR_STEPS):
            distances, nearest = tree.query(np.concatenate([points + shift, normals], 1))
            cost = float((distances**2).mean())
            if cost < least - 1e-12:
                best, least = shift, cost
            shift = (targets[nearest, :3] - points).mean(0)
    return best


def transfer_regions(
    source: HeadModel,
    vertices: Any,
    faces: Any,
    landmarks: LandmarkTable,
    eyeballs: Mapping[str, Mask],
) -> dict[str, Mask]:
    """Return every region of ``source`` as masks (V,) of another head's vertices (V, 3) m.

    eyeballs: left_eyeball and right_eyeball of the other head, kept exactly; no other region has
    their vertices. Elsewhere a vertex belongs to a region when the nearest surface point does by
    more than half; so disjoint regions stay disjoint. Raises ValueError when the heads have fewer
    than 10 landmarks in common.
    """
    common, ours, theirs = np.intersect1d(
        source.landmarks.indices, landmarks.indices, return_indices=True
    )
    if len(common) < 10:
        raise ValueError(f"the heads have only {len(common)} landmarks in common")
    goal = landmark_points(source.template, source.faces, source.landmarks)[ours]
    here = landmark_points(vertices, faces, landmarks)[theirs]
    scale, rotation, shift = similarity(here, goal)
    moved = scale * np.asarray(vertices, np.float64) @ rotation.T + shift
    moved = _ears_settled(source, moved, faces)
    ball = source.regions[_EYEBALLS[0]] | source.regions[_EYEBALLS[1]]
    skin = source.faces[~ball[source.faces].any(1)]
    face, weights, _ = nearest_surface(moved, source.template, skin)
    either = eyeballs[_EYEBALLS[0]] | eyeballs[_EYEBALLS[1]]
    regions = {
        name: ((mask[skin[face]] * weights).sum(1) > 0.5 + 1e-9) & ~either
        for name, mask in source.regions.items()
    }
    return regions | {name: eyeballs[name].copy() for name in _EYEBALLS}


def hair_in_one_piece(regions: Mapping[str, Mask], faces: Any) -> dict[str, Mask]:
    """Return the regions with hair apart from neck, and only the largest piece of the hair.

    Hair grows from one scalp; a transfer leaves single vertices elsewhere.
    """
    found = dict(regions)
    if "hair" not in found:
        return found
    hair = found["hair"] & ~found["neck"] if "neck" in found else found["hair"].copy()
    own = np.asarray(faces)[hair[np.asarray(faces)].all(1)]
    rows, columns = own.ravel(), own[:, [1, 2, 0]].ravel()
    size = len(hair)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    if hair.any():
        found["hair"] = hair & (label == np.bincount(label[hair]).argmax())
    return found
