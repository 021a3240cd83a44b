# SPDX-License-Identifier: Apache-2.0
"""The skin as one closed surface with two open loops: mouth and neck.

Does not know UVs, regions, joints or expressions; eyeballs are separate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import splu

from rome_backend.core.types import F64, I32
from rome_backend.open_head.cavities import add_mouth, add_socket, eye_centre
from rome_backend.open_head.cranium import add_cranium, join_cranium
from rome_backend.open_head.ears import add_ear, ear_cells, ear_root
from rome_backend.open_head.face_surface import face_half
from rome_backend.open_head.geometry import SKIN_VERTICES
from rome_backend.open_head.half_mesh import HalfMesh
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.mean_face import mean_face

LEFT_PUPIL = 473
STIFFNESS = 3.0


@dataclass(frozen=True)
class Skin:
    """The skin and where its parts are. Rings are vertex numbers of the left half.

    vertices (3931, 3) m; faces (7800, 3); mirror (3931,); face: the vertices of MediaPipe's
    subdivided face mesh; oval (37,) is cranium[0]; cranium (19, 37), -1 where the ear is;
    base (16,); ear, socket, mouth: rings from the outside inwards; splits: vertices deep in the
    mouth that make up the count; eye_centre (3,) m of the left eye.
    """

    vertices: F64
    faces: I32
    mirror: I32
    face: I32
    cranium: I32
    base: I32
    ear: tuple[I32, ...]
    socket: tuple[I32, ...]
    mouth: tuple[I32, ...]
    splits: I32
    eye_centre: F64

    def both(self, left: I32) -> I32:
        """Return the vertices of the left half together with their mirror images, sorted."""
        left = left[left >= 0]
        return np.unique(np.r_[left, self.mirror[left]])


def build_skin() -> Skin:
    """Return the mean head's skin, exactly mirror symmetric.

    Euler's formula makes 7,800 faces of 3,931 vertices whose two open loops have 32 and 30.
    """
    face = face_half()
    mesh = HalfMesh(face.vertices, face.faces)
    cranium = add_cranium(mesh, face.oval)
    join_cranium(mesh, cranium, ear_cells())
    ear = add_ear(mesh, ear_root(cranium.rings))
    eye = eye_centre(mesh.at(face.eye), mean_face()[LEFT_PUPIL])
    socket = add_socket(mesh, face.eye, eye)
    mouth = add_mouth(mesh, face.mouth)
    # Deep inside the mouth nobody sees uneven triangles.
    splits = _split_to_count(mesh, {*mouth[-3], *mouth[-2]})
    whole = mesh.mirrored(face.numbers, face.partners)
    left = whole.left
    skin = Skin(
        whole.vertices,
        whole.faces,
        whole.mirror,
        np.unique(np.r_[face.numbers, face.partners]),
        left[np.array(cranium.rings)],
        left[cranium.base],
        tuple(left[ring] for ring in ear),
        tuple(left[ring] for ring in socket),
        tuple(left[ring] for ring in mouth),
        left[splits],
        eye,
    )
    vertices = _fair(skin)
    symmetric = (vertices + vertices[skin.mirror] * (-1, 1, 1)) / 2
    return Skin(symmetric, *list(vars(skin).values())[1:])


def _split_to_count(mesh: HalfMesh, candidates: set[int]) -> list[int]:
    """Split long edges between candidates until the whole skin has 3,931 vertices.

    Returns the new vertices of the half.
    """
    used = {i for face in mesh.faces for i in face}
    middle = sum(1 for i in used if mesh.points[i][0] == 0)
    missing = SKIN_VERTICES - (2 * len(used) - middle)
    kinds = [True] * (missing % 2) + [False] * (missing // 2)
    return [mesh.split_longest(candidates, middle) for middle in kinds]


def _fair(skin: Skin) -> F64:
    """Return vertices (3931, 3) with cranium, neck and the face's rim blended smoothly.

    Least squares of staying put against the graph's bending energy; ears, cavities and the
    inner face hardly move.
    """
    count = len(skin.vertices)
    edges = adjacency(skin.faces, count)
    degree = np.asarray(edges.sum(axis=1)).ravel()
    laplacian = diags(1 / degree) @ (diags(degree) - edges)
    stay = np.full(count, 50.0)
    stay[skin.both(skin.cranium[1:-1].ravel())] = 0.12
    stay[skin.both(skin.cranium[1:5].ravel())] = 0.015
    stay[skin.both(skin.cranium[0])] = 5.0
    for ring in skin.ear[1:]:
        stay[skin.both(ring)] = 50.0
    stay[skin.both(skin.ear[0])] = 0.5
    system = (diags(stay) + STIFFNESS * laplacian.T @ laplacian).tocsc()
    return splu(system).solve(skin.vertices * stay[:, None])
