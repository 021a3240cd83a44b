# SPDX-License-Identifier: Apache-2.0
"""A texture layout without folds for a head that is one sheet with one hem and two eyeballs.

Does not know FLAME: it takes any such mesh, and needs no layout from its makers.

The sheet is a planar embedding with its hem on a circle: springs give one without folds (Tutte
1963). Its rings are then widened to the surface's areas, and the disc to a rounded square; the
few faces that this folds are turned back (our own).
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import spsolve

from rome_backend.core.types import F32, F64, I32, Mask

log = logging.getLogger(__name__)

_HALF = 0.49
_POWER = 4.0
# Twice the least area of a face that was folded, and what moving its corners costs.
_LEAST_AREA, _DISTANCE, _SWEEPS = 4e-6, 1e-5, 40
_EYE_RADIUS = 0.042
_EYE_CENTRE = np.array([0.947, 0.053])
_EYE_BACK = np.radians(150.0)
_BACK_SPOT = np.array([0.995, 0.005])


def hem_loop(faces: Any) -> I32:
    """Return the vertices of the mesh's one open edge in order; ValueError without just one."""
    corners = [[int(vertex) for vertex in face] for face in faces]
    directed = {pair for a, b, c in corners for pair in ((a, b), (b, c), (c, a))}
    following = {a: b for a, b in directed if (b, a) not in directed}
    if not following or len(set(following.values())) != len(following):
        raise ValueError("the mesh has no simple open edge")
    start = min(following)
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
        if len(loop) > len(following):
            break
    if len(loop) != len(following):
        raise ValueError("the mesh has more than one open edge")
    return np.array(loop, np.int32)


def disc_layout(vertices: Any, faces: Any, importance: Any) -> F64:
    """Return uvs (V, 2) in [0, 1] of a sheet with one hem; vertices without a face are 0.

    vertices (V, 3) m; faces (F, 3); importance (V,): how much larger than elsewhere the texture
    shall be. The face looks up: +X is to the right, +Y up. Raises ValueError for other meshes.
    """
    points = np.asarray(vertices, np.float64)
    faces = np.asarray(faces, np.int64)
    loop = hem_loop(faces)
    graph = _graph(faces, len(points))
    used = np.unique(faces)
    inner = np.setdiff1d(used, loop)
    places = np.zeros((len(points), 2))
    places[loop] = _rim(points[loop])
    places[inner] = _equilibrium(graph, places, inner)
    places = _centred(places, int(used[points[used, 2].argmax()]))
    places = _evened(places, used, loop, _vertex_areas(points, faces, importance))
    uvs = np.zeros_like(places)
    uvs[used] = 0.5 + _HALF * _squared(places[used])
    return unfolded(uvs, faces, inner)


def _graph(faces: Any, count: int) -> csr_matrix:
    """Return ones (V, V) where two vertices share an edge."""
    rows, columns = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    ones = np.ones(len(rows))
    graph = csr_matrix((ones, (rows, columns)), shape=(count, count))
    graph = graph + graph.T
    graph.data[:] = 1
    return graph


def _vertex_areas(points: F64, faces: Any, importance: Any) -> F64:
    """Return each vertex's share (V,) of the surface, as large as the texture shall see it."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    weight = np.asarray(importance, np.float64)[faces].mean(1) ** 2
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 * weight
    return np.asarray(np.bincount(faces.ravel(), np.repeat(areas / 3, 3), len(points)), np.float64)


def _rim(points: F64) -> F64:
    """Return places (H, 2) of the hem on the unit circle; its front is at the bottom.

    Steps follow the hem's own lengths.
    """
    lengths = np.linalg.norm(np.roll(points, -1, 0) - points, axis=1)
    along = np.concatenate([[0], np.cumsum(lengths)[:-1]]) / lengths.sum()
    x, z = (points - points.mean(0))[:, 0], (points - points.mean(0))[:, 2]
    turn = np.sum(x * np.roll(z, -1) - z * np.roll(x, -1))
    angle = -np.pi / 2 - np.sign(turn) * 2 * np.pi * (along - along[points[:, 2].argmax()])
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _equilibrium(graph: csr_matrix, places: F64, inner: Any) -> F64:
    """Return where equal springs hold the inner vertices, the others staying where they are."""
    matrix = (diags(np.asarray(graph.sum(1)).ravel()) - graph).tocsr()[inner]
    fixed = np.setdiff1d(np.arange(len(places)), inner)
    return np.asarray(spsolve(matrix[:, inner].tocsc(), -matrix[:, fixed] @ places[fixed]))


def unfolded(places: F64, faces: Any, inner: Any) -> F64:
    """Return places (V, 2) where no face is folded; few inner vertices move, and not far.

    places (V, 2); faces (F, 3); inner: the vertices that may move. Folds that resist are logged.
    Source: our own.
    """
    places, movable = places.copy(), np.isin(np.arange(len(places)), inner)
    for _ in range(_SWEEPS):
        folded = signed_areas(places, faces) <= 0
        if not folded.any():
            return places
        corners = np.unique(faces[folded])
        for vertex in corners[movable[corners]]:
            star = faces[(faces == vertex).any(1)]
            first = (star == vertex).argmax(1)
            rows = np.arange(len(star))
            ring = places[star[rows, (first + 1) % 3]], places[star[rows, (first + 2) % 3]]
            places[vertex] = _star_centre(places[vertex], *ring)
    log.warning("%d faces of the computed texture layout stay folded", int(folded.sum()))
    return places


def _star_centre(place: F64, before: F64, after: F64) -> F64:
    """Return where (2,) a vertex folds its faces least, as near to place (2,) as that allows.

    before, after (N, 2): the other corners of its faces. A linear programme: areas are linear in
    the place, what they lack to the least area counts, and distance counts very little.
    """
    side = after - before
    normal = np.stack([-side[:, 1], side[:, 0]], -1)
    offset = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    count = len(side)
    lacking = np.concatenate([-normal, np.zeros((count, 2)), -np.eye(count)], axis=1)
    still = np.zeros((4, 4 + count))
    still[:, :4] = [[1, 0, -1, 0], [-1, 0, -1, 0], [0, 1, 0, -1], [0, -1, 0, -1]]
    limits = np.r_[offset - _LEAST_AREA, place[0], -place[0], place[1], -place[1]]
    both = np.concatenate([before, after])
    bounds = [*zip(both.min(0), both.max(0), strict=True), *[(0, None)] * (2 + count)]
    cost = np.r_[0, 0, _DISTANCE, _DISTANCE, np.ones(count)]
    found = linprog(cost, np.concatenate([lacking, still]), limits, bounds=bounds)
    return np.asarray(found.x[:2]) if found.status == 0 else place


def _centred(places: F64, middle: int) -> F64:
    """Return places of the unit disc with one vertex in its middle (a Moebius map of the disc)."""
    number = places[:, 0] + 1j * places[:, 1]
    moved = (number - number[middle]) / (1 - np.conj(number[middle]) * number)
    return np.stack([moved.real, moved.imag], -1)


def _evened(places: F64, used: Any, loop: Any, areas: F64) -> F64:
    """Return places moved along their radius so that rings are as wide as their surface is large.

    Springs alone shrink the middle of a bag to a point. The rim is a polygon of the hem's edges,
    and rings are copies of it: none may leave it.
    """
    rim = _polygon_radius(places, loop)
    radius = np.linalg.norm(places, axis=1) / rim
    order = used[np.argsort(radius[used], kind="stable")]
    grown = np.cumsum(areas[order])
    wanted = np.zeros_like(radius)
    wanted[order] = np.sqrt((grown - areas[order] / 2) / grown[-1])
    wanted[loop] = 1
    return places * (wanted / np.maximum(radius, 1e-12))[:, None]


def _polygon_radius(places: F64, loop: Any) -> F64:
    """Return the distance (V,) from the middle to the hem's polygon in each place's direction."""
    corners = np.sort(np.arctan2(places[loop, 1], places[loop, 0]))
    corners = np.append(corners, corners[0] + 2 * np.pi)
    angle = np.arctan2(places[:, 1], places[:, 0])
    angle = np.where(angle < corners[0], angle + 2 * np.pi, angle)
    edge = np.clip(np.searchsorted(corners, angle, side="right") - 1, 0, len(loop) - 1)
    half = (corners[edge + 1] - corners[edge]) / 2
    return np.cos(half) / np.cos(angle - corners[edge] - half)


def signed_areas(places: Any, faces: Any) -> F64:
    """Return the area (F,) of faces (F, 3) in the plane; negative where one is folded over."""
    a, b, c = (np.asarray(places, np.float64)[faces[:, corner]] for corner in range(3))
    first, second = b - a, c - a
    return np.asarray((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2)


def _squared(places: F64) -> F64:
    """Return places in the unit disc stretched to a rounded square."""
    angle = np.arctan2(places[:, 1], places[:, 0])
    corner = np.abs(np.cos(angle)) ** _POWER + np.abs(np.sin(angle)) ** _POWER
    return places * corner[:, None] ** (-1 / _POWER)


def eyeball_layout(vertices: Any, faces: Any, left: bool) -> tuple[F64, I32]:
    """Return uvs (Vt, 2) and corners (F, 3) of one eyeball: its front on a disc in a corner.

    vertices (V, 3) m; faces (F, 3) of the ball alone. What looks backwards shares one spot.
    """
    used = np.unique(faces)
    points = np.asarray(vertices, np.float64)[used]
    centred = points - (points.min(0) + points.max(0)) / 2
    direction = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    angle = np.arccos(np.clip(direction[:, 2], -1, 1))
    across = np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)
    place = _EYE_RADIUS * np.minimum(angle / _EYE_BACK, 1)[:, None] * direction[:, :2]
    centre = _EYE_CENTRE if left else np.array([1 - _EYE_CENTRE[0], _EYE_CENTRE[1]])
    spot = _BACK_SPOT if left else np.array([1 - _BACK_SPOT[0], _BACK_SPOT[1]])
    uvs = np.concatenate([centre + place / across[:, None], spot[None]])
    corners = np.searchsorted(used, faces)
    corners[(angle[corners] > _EYE_BACK).any(1)] = len(used)
    return uvs, corners.astype(np.int32)


def head_layout(
    vertices: Any, faces: Any, eyeballs: tuple[Mask, Mask], importance: Any
) -> tuple[F32, I32]:
    """Return uvs (Vt, 2) in [0, 1] and uv_faces (F, 3) of sheet and eyeballs, left one first.

    vertices (V, 3) m; faces (F, 3); eyeballs: masks (V,); importance (V,) as disc_layout has it.
    """
    faces = np.asarray(faces, np.int64)
    count = len(vertices)
    uv_faces = faces.astype(np.int32).copy()
    balls = [mask[faces].all(1) for mask in eyeballs]
    sheet = ~(balls[0] | balls[1])
    parts = [disc_layout(vertices, faces[sheet], importance)]
    for rows, left in zip(balls, (True, False), strict=True):
        uvs, corners = eyeball_layout(vertices, faces[rows], left)
        uv_faces[rows] = corners + count
        count += len(uvs)
        parts.append(uvs)
    return np.clip(np.concatenate(parts), 0, 1).astype(np.float32), uv_faces
