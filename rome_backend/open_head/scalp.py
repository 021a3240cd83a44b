# SPDX-License-Identifier: Apache-2.0
"""The scalp of one head laid out flat: its edge as a closed line, and how it drags the rest along.

Does not know photos, styles or any topology.

Source: our own. Hair is the scalp's own mesh, moved: its edge goes to the front edges and the hem
of the hair, its inner vertices follow as harmonic functions, so that hair of any length is one
surface from the crown to the hem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from rome_backend.core.types import F64, HeadModel, Mask
from rome_backend.open_head.hair_chart import HairChart, azimuth_of, hull
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.offset_region import cranium
from rome_backend.open_head.surface_distance import surface_distance

_INNER = ("mouth_inside", "left_eyeball", "right_eyeball", "teeth", "gums", "tongue")


@dataclass(frozen=True)
class Scalp:
    """The region 'hair' of one posed head. H vertices, E of them on the region's edge.

    vertices (H,): numbers in the head; rest (H, 3) m; flat (H, 2) m and reach (H,) m in chart;
    edge (E,): numbers within H, ordered, none if it has no closed edge; place (E,) in [-1, 1]:
    along the edge from the middle of the forehead (0) to the nape's (+-1), positive on the left;
    follow (H, E): weights by which vertices follow the edge; faces (F, 3): of
    numbers within H; average (H, H): the mean of neighbours; inner (H,) m: distance along the mesh
    to the edge;
    body, bare (azimuths, rows) m: reach of skin with and without ears; bottom m: the way to
    where the body ends; ears: whether the head has any.
    """

    chart: HairChart
    vertices: NDArray[np.integer]
    rest: F64
    flat: F64
    reach: F64
    edge: NDArray[np.integer]
    place: F64
    follow: F64
    faces: NDArray[np.integer]
    average: csr_matrix
    inner: F64
    body: F64
    bare: F64
    bottom: float
    ears: bool


def build_scalp(head: HeadModel, vertices: F64) -> Scalp:
    """Return the scalp of a head with these vertices (V, 3) m. The head needs region 'hair'."""
    hair = np.asarray(head.regions["hair"])
    count = len(vertices)
    numbers = np.flatnonzero(hair)
    rest = vertices[hair]
    chart = HairChart(*cranium(rest))
    flat, reach = chart.flat(rest)
    own = _largest(np.searchsorted(numbers, head.faces[hair[head.faces].all(axis=1)]))
    edge, place = _edge(own, flat)
    links = adjacency(head.faces, count)[hair][:, hair]
    outer = np.zeros(count, bool)
    apart = np.setdiff1d(np.arange(len(rest)), own)
    outer[numbers[edge]] = outer[numbers[apart]] = True
    inner = surface_distance(vertices, head.faces, outer)[hair]
    skin = np.ones(count, bool)
    for name in _INNER:
        skin &= ~np.asarray(head.regions.get(name, np.zeros(count, bool)))
    ears = np.asarray(head.regions.get("ears", np.zeros(count, bool)))
    return Scalp(
        chart=chart,
        vertices=numbers,
        rest=rest,
        flat=flat,
        reach=reach,
        edge=edge,
        place=place,
        follow=_follow(_mean_value(flat, own), edge, apart),
        faces=own,
        average=csr_matrix(diags(1 / np.maximum(links.sum(axis=1).A1, 1.0)) @ links),
        inner=np.minimum(inner, 1.0),
        body=hull(chart, vertices, head.faces, skin, wide=True),
        bare=hull(chart, vertices, head.faces, skin & ~_surrounded(head, ears, hair)),
        bottom=float(np.linalg.norm(chart.flat(vertices)[0], axis=1).max()),
        ears=bool(ears.any()),
    )


def _surrounded(head: HeadModel, ears: Mask, hair: Mask) -> Mask:
    """Return the ears (V,) without the ring of vertices that touches the head."""
    rim = adjacency(head.faces, len(ears)) @ (~ears).astype(float) > 0
    return np.asarray(ears & ~rim)


def _edge(faces: NDArray[np.integer], flat: F64) -> tuple[NDArray[np.integer], F64]:
    """Return the longest closed line of open edges (E,) within the region, and its places (E,).

    Both are empty for a region without any, on which hair can grow but not hang.
    faces (F, 3): those wholly inside the region; flat (H, 2) m.
    """
    lines = _closed_lines(faces)
    if not lines:
        return np.zeros(0, np.int64), np.zeros(0)
    edge = max(lines, key=len)
    azimuth = azimuth_of(flat[edge])
    edge = np.roll(edge, -int(np.argmin(np.abs(azimuth))))
    azimuth = azimuth_of(flat[edge])
    if azimuth[1 : len(edge) // 2].mean() < 0:
        edge = np.roll(edge[::-1], 1)
        azimuth = azimuth_of(flat[edge])
    nape = int(np.argmax(np.abs(azimuth)))
    steps = np.linalg.norm(np.diff(flat[np.r_[edge, edge[0]]], axis=0), axis=1)
    ways = np.concatenate([[0.0], np.cumsum(steps)])
    left = ways[: nape + 1] / max(ways[nape], 1e-9)
    right = (ways[nape + 1 : -1] - ways[-1]) / max(ways[-1] - ways[nape], 1e-9)
    return edge, np.concatenate([left, right])


def _largest(faces: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the largest part of faces (F, 3) that hangs together by shared edges."""
    if not len(faces):
        return faces
    steps = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    _, edge = np.unique(steps, axis=0, return_inverse=True)
    owner = np.tile(np.arange(len(faces)), 3)
    has = csr_matrix((np.ones(len(owner)), (owner, edge.ravel())))
    part = connected_components(has @ has.T, directed=False)[1]
    return faces[part == np.bincount(part).argmax()]


def _closed_lines(faces: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    """Return the closed lines of vertices round faces (F, 3), each as an array."""
    steps = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    known = {(int(a), int(b)) for a, b in steps}
    after = {a: b for a, b in known if (b, a) not in known}
    lines = []
    while after:
        line = [next(iter(sorted(after)))]
        while line[-1] in after:
            line.append(after.pop(line[-1]))
        if line[0] == line[-1] and len(line) > 3:
            lines.append(np.array(line[:-1]))
    return lines


def _mean_value(flat: F64, faces: NDArray[np.integer]) -> csr_matrix:
    """Return the mean value weights (H, H) of neighbours in the chart.

    flat (H, 2) m, faces (F, 3). Source: Floater, "Mean value coordinates", 2003: positive where
    no face is turned over, and each inner vertex is exactly the weighted mean of its neighbours.
    """
    count = len(flat)
    result = csr_matrix((count, count))
    for k in range(3):
        here, after, before = (faces[:, (k + step) % 3] for step in range(3))
        a, b = flat[after] - flat[here], flat[before] - flat[here]
        long_a, long_b = (np.maximum(np.linalg.norm(e, axis=1), 1e-9) for e in (a, b))
        sine = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        tangent = sine / np.maximum(long_a * long_b + (a * b).sum(axis=1), 1e-12)
        for other, long_ in ((after, long_a), (before, long_b)):
            result = result + csr_matrix((tangent / long_, (here, other)), (count, count))
    return result


def _follow(links: csr_matrix, edge: NDArray[np.integer], apart: NDArray[np.integer]) -> F64:
    """Return the weights (H, E): each inner vertex is the mean of its neighbours by links (H, H).

    Those apart follow nothing.
    """
    count = links.shape[0]
    free = np.ones(count, bool)
    free[edge] = free[apart] = False
    weights = np.zeros((count, len(edge)))
    weights[edge, np.arange(len(edge))] = 1.0
    if not len(edge):
        return weights
    degree = diags(np.asarray(links.sum(axis=1)).ravel())
    matrix = csr_matrix(degree - links)
    right = -matrix[free][:, edge].toarray()
    if free.any():
        weights[free] = splu(matrix[free][:, free].tocsc()).solve(right)
    return weights
