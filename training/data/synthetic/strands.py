# SPDX-License-Identifier: Apache-2.0
"""Stray strands and tufts that stand off an invented person's hair, as ribbons of faces.

Does not know cameras, light or how they are drawn.

No head model has them, so a picture with strands teaches what a mesh cannot say of hair's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rome_backend.avatar.head_surface import vertex_uvs
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, HeadModel
from training.data.synthetic.person import Person

_THICK = 0.003  # m of hair from which strands grow
_STEPS = 3  # pieces of a ribbon
_SUNK = 0.003  # m that its root lies under the surface
# how many at most, their lengths m, their widths m at the root
_KINDS = ((1400, (0.005, 0.03), (0.0005, 0.0013)), (60, (0.01, 0.04), (0.004, 0.009)))


@dataclass(frozen=True)
class Strands:
    """roots (P,) i64: the vertex that each point follows; shifts (P, 3) f64 m from it;
    faces (Q, 3) i64 of points; uvs (P, 2) f32, v up: the root's colour."""

    roots: np.ndarray
    shifts: F64
    faces: np.ndarray
    uvs: F32


def draw_strands(random: np.random.Generator, head: HeadModel, person: Person) -> Strands:
    """Return a person's strands, none for the bald; the same ``random`` gives the same ones."""
    surface = head.template + person.offsets
    normals = vertex_normals(surface, head.faces)
    thickness = np.linalg.norm(person.offsets, axis=1) * head.regions["hair"]
    places = np.flatnonzero(thickness > _THICK)
    roots, shifts, faces = [], [], []
    count = 0
    for most, lengths, widths in _KINDS:
        number = int(most * random.uniform(0, 1)) if len(places) else 0
        chosen = random.choice(places, number) if number else np.zeros(0, np.int64)
        points = _ribbons(random, normals[chosen], lengths, widths)
        roots.append(np.tile(chosen, 2 * (_STEPS + 1)))
        shifts.append(points.reshape(-1, 3))
        faces.append(count + _ribbon_faces(number))
        count += len(roots[-1])
    followed = np.concatenate(roots)
    layout = vertex_uvs(head.uvs, head.uv_faces, head.faces, len(head.template))
    up = np.stack([(layout[:, 0] + 1) / 2, (1 - layout[:, 1]) / 2], axis=1)
    return Strands(
        followed, np.concatenate(shifts), np.concatenate(faces), up[followed].astype(np.float32)
    )


def _ribbons(
    random: np.random.Generator,
    normals: F64,
    lengths: tuple[float, float],
    widths: tuple[float, float],
) -> F64:
    """Return both edges of N ribbons at every step, (2 (_STEPS + 1), N, 3) m from their roots.

    They leave the surface, hang and curl, and taper.
    """
    count = len(normals)
    start = _unit(0.5 * normals + random.normal(0, 0.5, (count, 3)) + [0, -0.4, 0])
    across = _unit(np.cross(start, random.normal(size=(count, 3))))
    curl = random.normal(0, 0.4, (count, 3)) + [0, -0.5, 0]
    length, width = (random.uniform(*each, (count, 1)) for each in (lengths, widths))
    edges = []
    for step in range(_STEPS + 1):
        share = step / _STEPS
        middle = (start * share + curl * share**2) * length - (1 - share) * _SUNK * normals
        half = across * width * (1 - 0.85 * share) / 2
        edges += [middle - half, middle + half]
    return np.stack(edges)


def _ribbon_faces(count: int) -> np.ndarray:
    """Return the faces (4 _STEPS / 2 N, 3) of N ribbons whose points are in _ribbons' order."""
    ribbon = np.arange(count)
    faces = []
    for step in range(_STEPS):
        a, b, c, d = (ribbon + (2 * step + edge) * count for edge in range(4))
        faces += [np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)]
    return np.concatenate(faces)


def _unit(vectors: F64) -> F64:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float64)
