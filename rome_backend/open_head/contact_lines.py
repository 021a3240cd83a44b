# SPDX-License-Identifier: Apache-2.0
"""Lines where skin meets skin: the edges of lips and lids, and bringing them together.

Does not know expressions by name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from rome_backend.core.types import F64, I32, Mask
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.laplacian import BilaplacianSpread
from rome_backend.open_head.surface_distance import surface_distance

SAMPLES = np.linspace(0, 1, 9)
ROUNDS = 3


@dataclass(frozen=True)
class Opening:
    """The edge of an opening in the skin.

    edges (E, 2) i32: pairs of skin vertices along it; upper, lower (E,) bool: of which side.
    """

    edges: I32
    upper: Mask
    lower: Mask

    def vertices(self, side: Mask) -> I32:
        """Return the numbers of one side's vertices, those of both sides left out."""
        other = self.edges[self.lower if side is self.upper else self.upper]
        return np.setdiff1d(self.edges[side], other).astype(np.int32)


def opening(geometry: HeadGeometry, inside: Mask, apart: F64) -> Opening:
    """Return the edge between the face and what lies inside (Vs,) of an opening.

    apart (Vs,): above zero for the upper side, below for the lower one.
    """
    face, faces = geometry.skin_region("face"), geometry.skin_faces
    touching = faces[inside[faces].any(axis=1)]
    pairs = np.concatenate([touching[:, k] for k in ([0, 1], [1, 2], [2, 0])])
    edges = np.unique(np.sort(pairs[face[pairs].all(axis=1)], axis=1), axis=0)
    upper = apart[edges].sum(axis=1) > 0
    return Opening(edges.astype(np.int32), upper, ~upper)


def samples_of(edges: I32, vertices: F64) -> tuple[I32, F64, F64]:
    """Return points along edges: their ends (N, 2), the second end's share (N,) and places."""
    ends = np.repeat(edges, len(SAMPLES), axis=0)
    share = np.tile(SAMPLES, len(edges))
    places = vertices[ends[:, 0]] * (1 - share[:, None]) + vertices[ends[:, 1]] * share[:, None]
    return ends, share, places


class Closer:
    """Moves the edges of one opening towards each other and the skin around along.

    reach: distance in m over the skin in which it follows.
    """

    def __init__(self, geometry: HeadGeometry, line: Opening, reach: float) -> None:
        self.line, self.rest = line, geometry.skin_vertices
        rim = np.zeros(len(self.rest), dtype=bool)
        rim[line.edges] = True
        self._away = surface_distance(self.rest, geometry.skin_faces, rim)
        far = self._away > reach
        self.handles = np.flatnonzero(rim)
        self._spread = BilaplacianSpread(geometry.skin_energy(), self.handles, fixed=far)
        self._free = ~far

    def _gaps(self, side: Mask, other: Mask, delta: F64, matched: F64) -> tuple[I32, F64]:
        """Return a side's vertices and where the other side is, seen from them: (N,), (N, 3)."""
        numbers = self.line.vertices(side)
        ends, share, places = samples_of(self.line.edges[other], matched)
        nearest = cKDTree(places).query(matched[numbers])[1]
        ends, share = ends[nearest], share[nearest][:, None]
        moved = delta[ends[:, 0]] * (1 - share) + delta[ends[:, 1]] * share
        return numbers, moved + places[nearest] - matched[numbers] - delta[numbers]

    def meet(self, delta: F64, part: float) -> F64:
        """Return delta (Vs, 3) m with the sides brought together where they are now.

        part: how much of the way the upper side goes; the lower one goes the rest.
        """
        for _ in range(ROUNDS):
            places = self.rest + delta
            wanted = np.zeros_like(delta)
            for side, other, way in (
                (self.line.upper, self.line.lower, part),
                (self.line.lower, self.line.upper, 1 - part),
            ):
                numbers, gap = self._gaps(side, other, np.zeros_like(delta), places)
                wanted[numbers] = way * gap
            delta = self.follow(delta, wanted)
        return delta

    def keep_shut(self, delta: F64, axes: tuple[float, float, float] = (1, 1, 1)) -> F64:
        """Return delta (Vs, 3) m with the sides as near to each other as they are at rest.

        axes: how much of the correction along x, y and z is made.
        """
        wanted = np.zeros_like(delta)
        for side, other in (
            (self.line.upper, self.line.lower),
            (self.line.lower, self.line.upper),
        ):
            numbers, gap = self._gaps(side, other, delta, self.rest)
            at_rest = self._gaps(side, other, np.zeros_like(delta), self.rest)[1]
            wanted[numbers] = 0.5 * (gap - at_rest)
        return self.follow(delta, wanted * np.asarray(axes))

    def carry_along(self, delta: F64, band: tuple[float, float]) -> F64:
        """Return delta (Vs, 3) m whose skin beside the edge moves as the edge does.

        band: up to which distance from the edge it wholly does, and where that ends, in m.
        """
        rim, near = np.unique(self.line.edges), np.flatnonzero(self._away < band[1])
        nearest = cKDTree(self.rest[rim]).query(self.rest[near])[1]
        part = np.clip((band[1] - self._away[near]) / (band[1] - band[0]), 0.0, 1.0)
        part = (part * part * (3 - 2 * part))[:, None]
        carried = delta.copy()
        carried[near] += part * (delta[rim[nearest]] - delta[near])
        return carried

    def follow(self, delta: F64, wanted: F64) -> F64:
        """Return delta (Vs, 3) m with the edge moved on by wanted (Vs, 3) m, the skin along."""
        return delta + np.asarray(self._spread(wanted[self.handles]) * self._free[:, None])
