# SPDX-License-Identifier: Apache-2.0
"""The skin as one closed surface with two pinholes: the mouth's back and the bust's underside.

Does not know UVs, regions, joints or expressions; eyeballs, teeth and tongue are separate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import diags
from scipy.sparse.linalg import splu

from rome_backend.core.types import F64, I32
from rome_backend.open_head.cavities import (
    add_mouth,
    add_nostril,
    add_socket,
    eye_centre,
    mouth_points,
    socket_points,
)
from rome_backend.open_head.collarbones import with_collarbones
from rome_backend.open_head.cranium import add_cranium, join_cranium
from rome_backend.open_head.ears import add_ear, ear_cells, ear_root
from rome_backend.open_head.face_surface import NOSTRIL, face_half
from rome_backend.open_head.half_mesh import HalfMesh
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.sculpture import sculpted

LEFT_PUPIL = 473
COLLAR = 33  # the first ring of neck and shoulders
NOSTRIL_REACH_M, NOSTRIL_EDGE_M = 0.012, 0.0004
STIFFNESS = 3.0


@dataclass(frozen=True)
class Skin:
    """The skin and where its parts are. Rings are vertex numbers of the left half.

    vertices (V, 3) m; faces (F, 3); mirror (V,); face: the vertices of MediaPipe's subdivided
    face mesh, the nostrils' among them; oval (37,): the face's outline; cranium (44, 49), -1
    where the ear is; hem: its rings; ear, socket, mouth: rings from the outside inwards;
    nostril: vertices added there; eye_centre (3,) m of the left eye.
    """

    vertices: F64
    faces: I32
    mirror: I32
    face: I32
    oval: I32
    cranium: I32
    hem: tuple[I32, ...]
    ear: tuple[I32, ...]
    socket: tuple[I32, ...]
    mouth: tuple[I32, ...]
    nostril: I32
    eye_centre: F64

    def both(self, left: I32) -> I32:
        """Return the vertices of the left half together with their mirror images, sorted."""
        left = left[left >= 0]
        return np.unique(np.r_[left, self.mirror[left]])


def build_skin() -> Skin:
    """Return the mean head's skin, exactly mirror symmetric: `plain_skin` in its measured shape."""
    plain = plain_skin()
    vertices = sculpted(plain.vertices, plain.faces, plain.mirror)
    vertices = with_collarbones(vertices, plain.faces, plain.both(plain.cranium[COLLAR:].ravel()))
    vertices = (vertices + vertices[plain.mirror] * (-1, 1, 1)) / 2
    deepen_nostrils(vertices, plain)
    skin = replace(plain, vertices=vertices)
    centre = eye_centre(vertices[skin.socket[0]], mean_face()[LEFT_PUPIL])
    inner = [*zip(skin.socket[1:], socket_points(vertices[skin.socket[0]], centre), strict=True)]
    inner += zip(skin.mouth[1:], mouth_points(vertices[skin.mouth[0]]), strict=True)
    for ring, points in inner:
        vertices[skin.mirror[ring]] = points * (-1, 1, 1)
        vertices[ring] = points
    return replace(skin, eye_centre=centre)


def deepen_nostrils(vertices: F64, skin: Skin) -> None:
    """Double, in place, the depth of the nostrils' floors under the plane of their rims."""
    rim = vertices[list(NOSTRIL)]
    middle = rim.mean(axis=0)
    up = np.linalg.svd(rim - middle)[2][2]
    up *= np.sign(up[1])
    named = np.zeros(len(vertices), dtype=bool)
    named[np.r_[skin.nostril, NOSTRIL]] = True
    beside = adjacency(skin.faces, len(vertices)) @ (~named).astype(float)
    inside = np.union1d(np.flatnonzero(beside == 0), skin.nostril)
    inside = inside[np.linalg.norm(vertices[inside] - middle, axis=1) < NOSTRIL_REACH_M]
    depth = (vertices[inside] - middle) @ up
    vertices[inside] += np.clip(depth - NOSTRIL_EDGE_M, 0, None)[:, None] * up
    vertices[skin.mirror[inside]] = vertices[inside] * (-1, 1, 1)


def plain_skin() -> Skin:
    """Return the skin as the sections of `cranium` and the mean face alone make it."""
    face = face_half()
    mesh = HalfMesh(face.vertices, face.faces)
    nostril = add_nostril(mesh, face.nostril)
    cranium = add_cranium(mesh, face.oval)
    join_cranium(mesh, cranium, ear_cells())
    ear = add_ear(mesh, ear_root(cranium.rings))
    eye = eye_centre(mesh.at(face.eye), mean_face()[LEFT_PUPIL])
    socket = add_socket(mesh, face.eye, eye)
    mouth = add_mouth(mesh, face.mouth)
    whole = mesh.mirrored(face.numbers, face.partners)
    left, mirror = whole.left, whole.mirror
    skin = Skin(
        whole.vertices,
        whole.faces,
        mirror,
        np.unique(np.r_[face.numbers, face.partners, left[nostril], mirror[left[nostril]]]),
        left[face.oval],
        left[np.array(cranium.rings)],
        tuple(left[ring] for ring in cranium.hem),
        tuple(left[ring] for ring in ear),
        tuple(left[ring] for ring in socket),
        tuple(left[ring] for ring in mouth),
        left[nostril],
        eye,
    )
    vertices = _fair(skin)
    symmetric = (vertices + vertices[mirror] * (-1, 1, 1)) / 2
    return replace(skin, vertices=symmetric)


def _fair(skin: Skin) -> F64:
    """Return vertices (V, 3) with cranium, neck and the face's rim blended smoothly.

    Least squares of staying put against the graph's bending energy; ears, cavities and the
    inner face hardly move.
    """
    count = len(skin.vertices)
    edges = adjacency(skin.faces, count)
    degree = np.asarray(edges.sum(axis=1)).ravel()
    laplacian = diags(1 / degree) @ (diags(degree) - edges)
    stay = np.full(count, 50.0)
    stay[skin.both(skin.cranium[:-1].ravel())] = 0.12
    stay[skin.both(skin.cranium[:6].ravel())] = 0.015
    stay[skin.both(skin.oval)] = 5.0
    for ring in skin.ear[1:]:
        stay[skin.both(ring)] = 50.0
    stay[skin.both(skin.ear[0])] = 0.5
    system = (diags(stay) + STIFFNESS * laplacian.T @ laplacian).tocsc()
    return splu(system).solve(skin.vertices * stay[:, None])
