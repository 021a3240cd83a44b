# SPDX-License-Identifier: Apache-2.0
"""The UV atlas: the face in the middle, the head in rings round it, the rest in the corners.

Does not know textures. The layout is mirror symmetric: the mirror image of (u, v) is (1 - u, v).
The subject's left is at u > 0.5, up is v = 1. The skin has no seam; eyeballs,
teeth and tongue are cut off.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import spsolve

from rome_backend.core.types import F64, I32
from rome_backend.open_head import teeth
from rome_backend.open_head.eyeballs import eyeball_uv
from rome_backend.open_head.geometry import EYEBALL_VERTICES
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.surface import Skin

FACE_HALF_SIZE = np.array([0.215, 0.205])
OUTER_HALF_SIZE = np.array([0.49, 0.49])
OUTER_POWER = 3.0
LAST_RING, HEM_RINGS = 0.965, (0.975, 0.985, 1.0)
EVEN_ROWS = 0.6
OUTWARDS = 2.0
WIDENING = 0.6
EYE_DISC_CENTRE, EYE_DISC_RADIUS = np.array([0.938, 0.062]), 0.055
# Upper teeth, lower teeth and tongue in the upper corners: their grids, the left half's box.
_TEETH = (teeth.ROWS, teeth.COLUMNS)
_TONGUE = (teeth.TONGUE_ALONG, teeth.TONGUE_ACROSS)
INNER_ISLANDS = (
    (_TEETH, np.array([0.893, 0.962]), np.array([0.1, 0.032]), teeth.teeth_faces(True)),
    (_TEETH, np.array([0.893, 0.956]), np.array([0.1, -0.032]), teeth.teeth_faces(False)),
    (_TONGUE, np.array([0.900, 0.893]), np.array([0.093, 0.025]), teeth.tongue_faces()),
)


def build_atlas(skin: Skin) -> tuple[F64, I32]:
    """Return uvs (Vt, 2) in [0, 1] and uv_faces (F, 3) of skin, eyeballs, teeth and tongue.

    The first V uvs belong to the vertices; 31 more per eyeball open its back pole, and each row
    of teeth and the tongue are cut in the middle.
    """
    skin_uv = skin_atlas(skin)
    disc, disc_faces = eyeball_uv()
    eye = EYE_DISC_CENTRE + EYE_DISC_RADIUS * disc
    islands = [(eye, disc_faces), (_mirrored(eye), disc_faces[:, ::-1])]
    counts = [EYEBALL_VERTICES, EYEBALL_VERTICES]
    for (rows, columns), corner, size, faces in INNER_ISLANDS:
        islands.append(cut_grid(rows, columns, corner, size, faces))
        counts.append(rows * columns)
    own, extra = [skin_uv], []
    uv_faces, first = [skin.faces], len(skin_uv)
    following = first + sum(counts)
    for (uv, faces), count in zip(islands, counts, strict=True):
        uv_faces.append(np.where(faces < count, faces + first, faces - count + following))
        own.append(uv[:count])
        extra.append(uv[count:])
        first, following = first + count, following + len(uv) - count
    return np.concatenate(own + extra), np.concatenate(uv_faces).astype(np.int32)


def _mirrored(uv: F64) -> F64:
    return uv * (-1, 1) + (1, 0)


def cut_grid(rows: int, columns: int, corner: F64, size: F64, faces: I32) -> tuple[F64, I32]:
    """Return uvs (rows * columns + rows, 2) and uv faces of a grid whose left half lies in a box
    and whose right half lies in its mirror image; the middle column has uvs in both.

    corner, size (2,): the box's corner where the last row's middle lies, and its extent.
    """
    middle = columns // 2
    along, across = np.linspace(1, 0, rows), np.linspace(0, 1, columns - middle)
    v, u = np.meshgrid(along, across, indexing="ij")
    left = corner + size * np.stack([u, v], axis=-1)
    right = _mirrored(left)[:, ::-1]
    uv = np.concatenate([right[:, :-1], left], axis=1).reshape(-1, 2)
    column = faces % columns
    of_right = np.any(column < middle, axis=1, keepdims=True) & (column == middle)
    extra = rows * columns + faces // columns
    return np.concatenate([uv, right[:, -1]]), np.where(of_right, extra, faces)


def skin_atlas(skin: Skin) -> F64:
    """Return one uv for each skin vertex (Vs, 2)."""
    uv = np.full((len(skin.vertices), 2), np.nan)
    _place_rings(skin, uv)
    _place_ear(skin, uv)
    _place_face(skin, uv)
    free = np.flatnonzero(np.isnan(uv[:, 0])).astype(np.int32)
    _solve(adjacency(skin.faces, len(uv)), uv, free)
    return _widen_middle((uv + (uv[skin.mirror] * (-1, 1) + (1, 0))) / 2)


def _widen_middle(uv: F64) -> F64:
    """Return uv (N, 2) moved outwards along rays, so that eyes, nose and mouth get more texels."""
    away = uv - 0.5
    distance = (np.abs(away / OUTER_HALF_SIZE) ** OUTER_POWER).sum(axis=1) ** (1 / OUTER_POWER)
    return 0.5 + away * ((1 + WIDENING) / (1 + WIDENING * distance))[:, None]


def _put(skin: Skin, uv: F64, left: I32, values: F64) -> None:
    """Set uvs of vertices of the left half (N,) and, mirrored, of their partners; -1 skipped."""
    real = left >= 0
    uv[skin.mirror[left[real]]] = values[real] * (-1, 1) + (1, 0)
    uv[left[real]] = values[real]


def _curve(angle: F64, half_size: F64, power: float) -> F64:
    """Return points (N, 2) of a superellipse; angle 0 is its top, pi / 2 its right."""
    direction = np.column_stack([np.sin(angle), np.cos(angle)])
    direction[np.abs(direction) < 1e-9] = 0.0
    norm = (np.abs(direction) ** power).sum(axis=1) ** (1 / power)
    return 0.5 + half_size * direction / norm[:, None]


def _place_rings(skin: Skin, uv: F64) -> None:
    steps = np.linalg.norm(np.diff(skin.vertices[skin.oval], axis=0), axis=1)
    own = np.r_[0, np.cumsum(steps)] / steps.sum() * np.pi
    place = np.linspace(0, 1, len(skin.oval))
    along = _ring_distances(skin)
    along = (1 - EVEN_ROWS) * along + EVEN_ROWS * np.linspace(0, 1, len(along))
    fractions = [*(along * LAST_RING), *HEM_RINGS]
    for ring, fraction in zip([skin.oval, *skin.cranium, *skin.hem], fractions, strict=True):
        even = np.linspace(0, 1, len(ring))
        inner_angle = (np.interp(even, place, own) + even * np.pi) / 2
        inner = _curve(inner_angle, FACE_HALF_SIZE, 2.0)
        outer = _curve(even * np.pi, OUTER_HALF_SIZE, OUTER_POWER)
        _put(skin, uv, ring, inner * (1 - fraction) + outer * fraction)


def _ring_distances(skin: Skin) -> F64:
    """Return how far oval and rings (45,) lie behind each other: 0 the oval, 1 the last ring."""
    points = skin.vertices[np.maximum(skin.cranium, 0)]
    whole = (skin.cranium >= 0).all(axis=0)
    gaps = np.linalg.norm(np.diff(points[:, whole], axis=0), axis=2).mean(axis=1)
    first = np.linalg.norm(skin.vertices[skin.oval[0]] - points[0, 0])
    along = np.r_[0, np.cumsum(np.r_[first, gaps])]
    return along / along[-1]


def _place_ear(skin: Skin, uv: F64) -> None:
    root, *rings = skin.ear
    edge = uv[root]
    centre = (edge.min(axis=0) + edge.max(axis=0)) / 2
    for k, ring in enumerate(rings[:-1], start=1):
        _put(skin, uv, ring, centre + (edge - centre) * (1 - k / len(rings)))
    _put(skin, uv, rings[-1], centre[None])


def _place_face(skin: Skin, uv: F64) -> None:
    """Lay the face, sockets and mouth into the oval by Floater's mean value coordinates.

    Positive weights, a convex outline and the mouth's loop closed by one more vertex make it
    free of overlaps (Floater 2003).
    """
    cavities = (*skin.socket, *skin.mouth)
    inside = np.r_[skin.face, *(skin.both(ring) for ring in cavities)]
    free = np.setdiff1d(inside, skin.both(skin.oval))
    faces = skin.faces[np.isin(skin.faces, inside).all(axis=1)]
    count = len(uv)
    weights = _drawn_outwards(mean_value_weights(skin.vertices, faces), skin)
    loop = skin.both(skin.mouth[-1])
    pull = np.asarray(weights[loop].mean(axis=1)).ravel() * count / 20
    rows = np.r_[loop, np.full(len(loop), count)]
    columns = np.r_[np.full(len(loop), count), loop]
    weights = csc_matrix(weights)
    weights.resize(count + 1, count + 1)
    closing = coo_matrix((np.r_[pull, pull], (rows, columns)), weights.shape)
    closed = np.concatenate([uv, [[np.nan, np.nan]]])
    _solve(csc_matrix(weights + closing), closed, np.r_[free, count])
    uv[free] = closed[free]


def _drawn_outwards(weights: csc_matrix, skin: Skin) -> csc_matrix:
    """Return weights that draw each ring of the mouth to the one before it, or the last would
    get hardly any texels."""
    level = np.full(weights.shape[0], -9)
    for k, ring in enumerate(skin.mouth):
        level[skin.both(ring)] = k
    drawn = coo_matrix(weights)
    drawn.data = drawn.data * np.where(level[drawn.row] == level[drawn.col] + 1, OUTWARDS, 1.0)
    return csc_matrix(drawn)


def mean_value_weights(vertices: F64, faces: I32) -> csc_matrix:
    """Return Floater's mean value weights (V, V) of faces (F, 3), all positive."""
    rows, columns, values = [], [], []
    for k in range(3):
        a, b, c = faces[:, k], faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        u, v = vertices[b] - vertices[a], vertices[c] - vertices[a]
        length_u, length_v = np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1)
        cross = np.linalg.norm(np.cross(u, v), axis=1)
        half_tangent = cross / (length_u * length_v + np.sum(u * v, axis=1) + 1e-12)
        rows += [a, a]
        columns += [b, c]
        values += [half_tangent / length_u, half_tangent / length_v]
    index = (np.concatenate(rows), np.concatenate(columns))
    return coo_matrix((np.concatenate(values), index), (len(vertices),) * 2).tocsc()


def _solve(weights: csc_matrix, uv: F64, free: I32) -> None:
    """Set the free rows of uv to the weighted means of their neighbours, in place."""
    known = np.flatnonzero(~np.isnan(uv[:, 0]))
    rows = weights.tocsr()[free]
    total = np.asarray(rows[:, free].sum(axis=1) + rows[:, known].sum(axis=1)).ravel()
    uv[free] = spsolve((diags(total) - rows[:, free]).tocsc(), rows[:, known] @ uv[known])
