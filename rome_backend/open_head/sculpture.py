# SPDX-License-Identifier: Apache-2.0
"""The measured shape of the head: skull, ears and neck of ICT-FaceKit's neutral head, with the
proportions of the mean face of photos.

Does not know how the skin's topology is made; tools/measure_sculpture.py measured the file.

The measured positions are the plain skin laid onto the neutral head of ICT-FaceKit Light
(github.com/ICT-VGL/ICT-FaceKit, MIT, (c) 2020 USC Institute for Creative Technologies).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from rome_backend.core.errors import FileInvalid
from rome_backend.core.types import F64, I32
from rome_backend.open_head.geometry import FACE_LANDMARKS
from rome_backend.open_head.laplacian import BilaplacianSpread, bilaplacian
from rome_backend.open_head.mean_face import mean_face
from rome_backend.open_head.surface_distance import surface_distance

FILE = Path(__file__).with_name("sculpture.npz")
UNIT = 1e-5
# How much of the mean face counts at its landmarks, per axis: photos tell little of depth.
SHARE = np.array([0.9, 0.9, 0.5])
SMOOTHNESS = 2e-3
FACE_REACH_M = 0.03


def topology_hash(faces: I32) -> str:
    """Return 16 hex digits that name the faces (F, 3) the measured positions belong to."""
    return hashlib.sha256(np.ascontiguousarray(faces, dtype="<i4").tobytes()).hexdigest()[:16]


def half_of(mirror: I32) -> I32:
    """Return the vertices that stand for themselves and their mirror images, ascending."""
    return np.flatnonzero(mirror >= np.arange(len(mirror))).astype(np.int32)


def measured(faces: I32, mirror: I32, file: Path = FILE) -> F64:
    """Return the measured positions (V, 3) m, exactly symmetric.

    Raises FileInvalid when the file belongs to another topology.
    """
    with np.load(file) as data:
        positions, topology = data["positions"], str(data["topology"])
    half = half_of(mirror)
    if topology != topology_hash(faces) or positions.shape != (len(half), 3):
        raise FileInvalid(
            "sculpture_outdated",
            "The measured shape of the open head belongs to another topology.",
            "Run python -m tools.measure_sculpture.",
        )
    vertices = np.zeros((len(mirror), 3))
    vertices[mirror[half]] = positions * UNIT * (-1, 1, 1)
    vertices[half] = positions * UNIT
    vertices[mirror == np.arange(len(mirror)), 0] = 0.0
    return vertices


def sculpted(plain: F64, faces: I32, mirror: I32) -> F64:
    """Return the skin's vertices (V, 3) m in the measured shape, the face with the proportions
    of the mean face; exactly symmetric. plain (V, 3) m says only which vertices are the face's.
    """
    shape = measured(faces, mirror)
    landmarks = np.arange(FACE_LANDMARKS)
    pull = SHARE * (mean_face()[landmarks] - shape[landmarks])
    on_face = np.isin(np.arange(len(plain)), landmarks)
    far = surface_distance(shape, faces, on_face) > FACE_REACH_M
    energy = bilaplacian(shape, faces)
    spread = BilaplacianSpread(energy, landmarks, smoothness=SMOOTHNESS, fixed=far)
    result = shape + spread(pull)
    return (result + result[mirror] * (-1, 1, 1)) / 2
