# SPDX-License-Identifier: Apache-2.0
"""Eye sockets and the mouth's inside: rings that continue lids and lips inwards.

Does not know eyeballs' surfaces, teeth or a tongue.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.half_mesh import HalfMesh

EYE_RADIUS = 0.0119
LID_GAP = 0.0004
SOCKET_RINGS = ((-0.0018, 0.99), (-0.006, 1.06), (-0.012, 0.90))  # depth m, size
MOUTH_LOOP_HALF = 17
# depth m, half height m, width relative to the lips'
MOUTH_RINGS = ((-0.010, 0.009, 0.93), (-0.020, 0.014, 0.88))
# depth, half height, half width in m: the open loop is all but shut, so that nobody sees through
MOUTH_BACK = (-0.034, 0.0003, 0.0005)


def eye_centre(eye: F64, pupil: F64) -> F64:
    """Return the eyeball's centre (3,) m: behind the pupil, touching the lids' loop eye (32, 3)
    from inside."""
    across = np.linalg.norm(eye[:, :2] - pupil[:2], axis=1)
    depth = eye[:, 2] - np.sqrt(np.clip((EYE_RADIUS + LID_GAP) ** 2 - across**2, 0, None))
    return np.array([pupil[0], pupil[1], depth[across < EYE_RADIUS].min()])


def add_socket(mesh: HalfMesh, eye: list[int], centre: F64) -> list[list[int]]:
    """Close the lids' loop by a socket round the eyeball at centre (3,) m.

    Returns its rings, the loop first.
    """
    loop = mesh.at(eye)
    middle = loop.mean(axis=0)
    rings = [eye]
    for depth, size in SOCKET_RINGS:
        points = loop + (0.0, 0.0, depth)
        points[:, :2] = middle[:2] + (loop[:, :2] - middle[:2]) * size
        rings.append(mesh.add(points))
        mesh.strip(rings[-2], rings[-1], closed=True)
    back = mesh.add([centre + (0.0, 0.0, -1.05 * EYE_RADIUS)])
    mesh.fan(rings[-1], back[0])
    return [*rings, back]


def add_mouth(mesh: HalfMesh, lips: list[int]) -> list[list[int]]:
    """Continue half the lips' inner loop (21, bottom to top) into an open bag.

    Returns the half rings, the lips first; the last one is half of the open loop of 32.
    """
    loop = mesh.at(lips)
    middle = np.array([0.0, (loop[0, 1] + loop[-1, 1]) / 2, loop[[0, -1], 2].mean()])
    half_width = loop[:, 0].max()
    angle = np.linspace(-np.pi / 2, np.pi / 2, len(lips))
    first = loop + (0.0, 0.0, -0.004)
    first[:, 1] += 0.0008 * np.sin(angle)
    rings = [lips, mesh.add(first)]
    for depth, height, width in MOUTH_RINGS:
        x = half_width * width * np.cos(angle)
        z = middle[2] + depth - 0.012 * np.cos(angle) ** 2
        rings.append(mesh.add(_on_plane(x, middle[1] + height * np.sin(angle), z)))
    for a, b in zip(rings, rings[1:], strict=False):
        mesh.strip(a, b)
    angle = np.linspace(-np.pi / 2, np.pi / 2, MOUTH_LOOP_HALF)
    depth, height, width = MOUTH_BACK
    y, z = middle[1] + height * np.sin(angle), np.full(len(angle), middle[2] + depth)
    rings.append(mesh.add(_on_plane(width * np.cos(angle), y, z)))
    mesh.zipper(rings[-2], rings[-1])
    return rings


def _on_plane(x: F64, y: F64, z: F64) -> F64:
    """Return points (N, 3) whose first and last lie exactly on the sagittal plane."""
    x[[0, -1]] = 0.0
    return np.column_stack([x, y, z])
