# SPDX-License-Identifier: Apache-2.0
"""The mean face as a fine surface, its left half ready to be continued.

Does not know cranium, neck, eyes or mouth interior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.core.types import F64, I32
from rome_backend.open_head.geometry import FACE_LANDMARKS
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks, symmetric_triangles
from rome_backend.open_head.subdivision import boundary_loops, interpolating_loop

# The floor of the left nostril among the landmarks.
NOSTRIL = (250, 290, 305, 289, 392, 309, 459, 458)
HAIRLINE, CHIN, UPPER_LIP, LOWER_LIP, LEFT_EYE_CORNER = 10, 152, 13, 14, 263


@dataclass(frozen=True)
class FaceHalf:
    """The face's left half (x >= 0).

    vertices (H, 3) m; faces (F, 3); numbers, partners: final vertex number of each and of its
    mirror image (landmarks keep theirs); oval: 37 from hairline to chin; eye: closed 32;
    mouth: 21 from the lower lip's middle over the corner to the upper lip's; nostril: numbers of
    the faces between the landmarks NOSTRIL.
    """

    vertices: F64
    faces: I32
    numbers: list[int]
    partners: list[int]
    oval: list[int]
    eye: list[int]
    mouth: list[int]
    nostril: list[int]


def fine_mirror(edges: I32, landmark_mirror: I32) -> I32:
    """Return the mirror numbering (468 + E,) of the subdivided face."""
    count = len(landmark_mirror)
    where = {(int(a), int(b)): count + k for k, (a, b) in enumerate(edges)}
    opposite = np.sort(landmark_mirror[edges], axis=1)
    return np.r_[landmark_mirror, [where[int(a), int(b)] for a, b in opposite]].astype(np.int32)


def face_half() -> FaceHalf:
    """Return the left half of the mean face after one interpolating Loop subdivision."""
    landmark_mirror = mirror_landmarks()[:FACE_LANDMARKS]
    triangles = symmetric_triangles()
    vertices, faces, edges = interpolating_loop(mean_face()[:FACE_LANDMARKS], triangles)
    mirror = fine_mirror(edges, landmark_mirror)
    vertices = (vertices + vertices[mirror] * (-1, 1, 1)) / 2
    middle = mirror == np.arange(len(mirror))
    side = np.where(middle, 0.0, np.sign(vertices[:, 0]))
    # Where lips meet, x alone could mistake the side of a vertex between two landmarks.
    side[FACE_LANDMARKS:] = np.where(middle[FACE_LANDMARKS:], 0.0, np.sign(side[edges].sum(axis=1)))
    on_half = side[faces].sum(axis=1) > 0
    half_faces = faces[on_half]
    # Loop's step stacks the four parts of all triangles.
    nostril = np.tile(np.isin(triangles, NOSTRIL).all(axis=1), 4)[on_half]
    used = np.unique(half_faces)
    half_of = np.full(len(vertices), -1)
    half_of[used] = np.arange(len(used))
    loops = boundary_loops(faces)
    oval, mouth = _arc(loops[3], HAIRLINE, CHIN), _arc(loops[2], LOWER_LIP, UPPER_LIP)
    eye = next(ring for ring in loops[:2] if LEFT_EYE_CORNER in ring)
    return FaceHalf(
        vertices[used],
        half_of[half_faces].astype(np.int32),
        used.tolist(),
        mirror[used].tolist(),
        half_of[oval].tolist(),
        half_of[eye].tolist(),
        half_of[mouth].tolist(),
        np.flatnonzero(nostril).tolist(),
    )


def _arc(loop: list[int], first: int, last: int) -> list[int]:
    """Return the part of a loop from first to last; with the hole to its left, the face's outline
    downwards and the mouth's upwards run through the left half."""
    start = loop.index(first)
    turned = loop[start:] + loop[:start]
    return turned[: turned.index(last) + 1]
