# SPDX-License-Identifier: Apache-2.0
"""Builds the left half of a mirror-symmetric mesh and mirrors it.

Does not know what the rings it is given belong to.

A ring is a list of vertex numbers. Every strip is wound so that its second ring lies to the left
of the first one's direction of travel, seen from outside. Vertices with x = 0 lie on the sagittal
plane and are shared by both halves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rome_backend.core.types import F64, I32


@dataclass(frozen=True)
class MirroredMesh:
    """A whole mesh: vertices (V, 3) m, faces (F, 3), mirror (V,);
    left, right (H,): where each vertex of the half went, -1 if no face used it."""

    vertices: F64
    faces: I32
    mirror: I32
    left: I32
    right: I32


class HalfMesh:
    """The half with x >= 0, grown ring by ring."""

    def __init__(self, vertices: F64, faces: NDArray[np.integer]) -> None:
        self.points: list[F64] = [np.asarray(p, dtype=np.float64) for p in vertices]
        self.faces: list[tuple[int, int, int]] = [(int(a), int(b), int(c)) for a, b, c in faces]

    def add(self, points: ArrayLike) -> list[int]:
        """Add points (N, 3) m and return their numbers."""
        first = len(self.points)
        self.points += list(np.asarray(points, dtype=np.float64))
        return list(range(first, len(self.points)))

    def at(self, ring: list[int]) -> F64:
        """Return the positions (N, 3) m of a ring."""
        return np.array([self.points[i] for i in ring])

    def strip(self, a: list[int], b: list[int], closed: bool = False) -> None:
        """Join two rings of equal length by quads split into triangles."""
        steps = len(a) if closed else len(a) - 1
        for k in range(steps):
            n = (k + 1) % len(a)
            self.faces += [(a[k], a[n], b[n]), (a[k], b[n], b[k])]

    def zipper(self, a: list[int], b: list[int]) -> None:
        """Join two open rings of different length, advancing on the one that lags."""
        i = j = 0
        while i < len(a) - 1 or j < len(b) - 1:
            behind = (i + 1) * (len(b) - 1) <= (j + 1) * (len(a) - 1)
            if i < len(a) - 1 and (behind or j == len(b) - 1):
                self.faces.append((a[i], a[i + 1], b[j]))
                i += 1
            else:
                self.faces.append((a[i], b[j + 1], b[j]))
                j += 1

    def fan(self, ring: list[int], centre: int) -> None:
        """Close a closed ring with a fan round a vertex."""
        for k, vertex in enumerate(ring):
            self.faces.append((vertex, ring[(k + 1) % len(ring)], centre))

    def refine(self, chosen: list[int]) -> list[int]:
        """Split the faces numbered in chosen into four and their neighbours so that no gap opens.

        Returns the new vertices, the middles of the edges of chosen faces, in the order of their
        edges. The faces are numbered anew.
        """
        middle: dict[tuple[int, int], int] = {}
        for number in chosen:
            corners = self.faces[number]
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                edge = (min(a, b), max(a, b))
                if edge not in middle:
                    middle[edge] = self.add([(self.points[a] + self.points[b]) / 2])[0]
        faces: list[tuple[int, int, int]] = []
        for corners in self.faces:
            faces += _split(corners, middle)
        self.faces = faces
        return list(middle.values())

    def mirrored(self, numbers: list[int], partners: list[int]) -> MirroredMesh:
        """Return the whole mesh; numbers, partners: final numbers of the first half vertices
        and of their mirror images, a gapless range together; the others follow in order."""
        points, half = np.array(self.points), np.array(self.faces)
        used = np.isin(np.arange(len(points)), half)
        to_left = np.full(len(points), -1, dtype=np.int32)
        to_right = to_left.copy()
        to_left[: len(numbers)], to_right[: len(numbers)] = numbers, partners
        following = max(*numbers, *partners) + 1
        for k in range(len(numbers), len(points)):
            if used[k]:
                to_left[k] = following
                following += 1 if points[k, 0] == 0 else 2
                to_right[k] = following - 1
        left, right = to_left[used], to_right[used]
        vertices = np.zeros((following, 3))
        mirror = np.zeros(following, dtype=np.int32)
        vertices[left], vertices[right] = points[used], points[used] * (-1, 1, 1)
        mirror[left], mirror[right] = right, left
        faces = np.concatenate([to_left[half], to_right[half][:, ::-1]]).astype(np.int32)
        return MirroredMesh(vertices, faces, mirror, to_left, to_right)


def _split(
    corners: tuple[int, int, int], middle: dict[tuple[int, int], int]
) -> list[tuple[int, int, int]]:
    """Return the parts of a triangle whose edges in middle are halved."""
    a, b, c = corners
    ab, bc, ca = (middle.get((min(p, q), max(p, q))) for p, q in ((a, b), (b, c), (c, a)))
    if ab is not None and bc is not None and ca is not None:
        return [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    for _ in range(3):
        if ab is not None and bc is not None:
            return [(ab, b, bc), (a, ab, bc), (a, bc, c)]
        if ab is not None and ca is None:
            return [(a, ab, c), (ab, b, c)]
        a, b, c, ab, bc, ca = b, c, a, bc, ca, ab
    return [(a, b, c)]
