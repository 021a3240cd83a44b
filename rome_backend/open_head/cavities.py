# SPDX-License-Identifier: Apache-2.0
"""Eye sockets, nostrils and the mouth's inside, which continue lids and lips inwards.

Does not know eyeballs' surfaces, teeth or a tongue.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F64
from rome_backend.open_head.half_mesh import HalfMesh

EYE_RADIUS = 0.0119
LID_GAP = 0.0004
SOCKET_RINGS = ((-0.0018, 0.99), (-0.006, 1.06), (-0.012, 0.90))  # depth m, size
# How far the rings come forward and towards the eye at the caruncle, m; its reach.
CARUNCLE = ((0.0008, 0.0010), (0.0030, 0.0036), (0.0, 0.0))
CARUNCLE_M = 0.0045
MOUTH_LOOP_HALF = 13
# depth, half height, half width and how far the sides lie behind the middle, in m: wide enough
# for two rows of teeth
MOUTH_RINGS = (
    (-0.0085, 0.008, 0.0215, 0.0100),
    (-0.0125, 0.014, 0.0265, 0.0125),
    (-0.020, 0.017, 0.0295, 0.0125),
    (-0.034, 0.018, 0.0300, 0.0060),
    (-0.048, 0.013, 0.0230, 0.0),
)
# depth, half height, half width in m: the open loop is all but shut, so that nobody sees through
MOUTH_BACK = (-0.054, 0.0003, 0.0005)
NOSTRIL_DEPTH = np.array([0.0003, 0.0065, -0.0030])


def eye_centre(eye: F64, pupil: F64) -> F64:
    """Return the eyeball's centre (3,) m: behind the pupil, touching the lids' loop eye (32, 3)
    from inside."""
    across = np.linalg.norm(eye[:, :2] - pupil[:2], axis=1)
    depth = eye[:, 2] - np.sqrt(np.clip((EYE_RADIUS + LID_GAP) ** 2 - across**2, 0, None))
    return np.array([pupil[0], pupil[1], depth[across < EYE_RADIUS].min()])


def socket_points(loop: F64, centre: F64) -> list[F64]:
    """Return the points (32, 3) m of the socket's rings behind the lids' loop (32, 3) m, and the
    one behind the eyeball at centre (3,) m."""
    middle = loop.mean(axis=0)
    # In the eye's inner corner the caruncle fills the gap between lids and eyeball.
    from_corner = np.linalg.norm(loop - loop[loop[:, 0].argmin()], axis=1)
    caruncle = np.exp(-((from_corner / CARUNCLE_M) ** 2))[:, None]
    rings = []
    for (depth, size), (rise, shift) in zip(SOCKET_RINGS, CARUNCLE, strict=True):
        points = loop + (0.0, 0.0, depth)
        points[:, :2] = middle[:2] + (loop[:, :2] - middle[:2]) * size
        rings.append(points + caruncle * (shift, 0.0, rise))
    return [*rings, np.array([centre + (0.0, 0.0, -1.05 * EYE_RADIUS)])]


def add_socket(mesh: HalfMesh, eye: list[int], centre: F64) -> list[list[int]]:
    """Close the lids' loop by a socket round the eyeball at centre (3,) m.

    Returns its rings, the loop first.
    """
    rings = [eye]
    *points, back = socket_points(mesh.at(eye), centre)
    for ring in points:
        rings.append(mesh.add(ring))
        mesh.strip(rings[-2], rings[-1], closed=True)
    rings.append(mesh.add(back))
    mesh.fan(rings[-2], rings[-1][0])
    return rings


def mouth_points(loop: F64) -> list[F64]:
    """Return the points of the half rings behind half the lips' inner loop (21, 3) m, whose first
    and last lie on the sagittal plane: 21 each, 13 in the last."""
    middle = np.array([0.0, (loop[0, 1] + loop[-1, 1]) / 2, loop[[0, -1], 2].mean()])
    angle = np.linspace(-np.pi / 2, np.pi / 2, len(loop))
    first = loop + (0.0, 0.0, -0.004)
    first[:, 1] += 0.0008 * np.sin(angle)
    rings = [first]
    for depth, height, width, behind in MOUTH_RINGS:
        z = middle[2] + depth - behind * np.cos(angle) ** 2
        y = middle[1] + height * np.sin(angle)
        rings.append(_on_plane(width * np.cos(angle), y, z))
    angle = np.linspace(-np.pi / 2, np.pi / 2, MOUTH_LOOP_HALF)
    depth, height, width = MOUTH_BACK
    y, z = middle[1] + height * np.sin(angle), np.full(len(angle), middle[2] + depth)
    return [*rings, _on_plane(width * np.cos(angle), y, z)]


def add_mouth(mesh: HalfMesh, lips: list[int]) -> list[list[int]]:
    """Continue half the lips' inner loop (21, bottom to top) into a bag for teeth and tongue.

    Returns the half rings, the lips first; the last one is half of the open loop of 24.
    """
    rings = [lips, *(mesh.add(points) for points in mouth_points(mesh.at(lips)))]
    for a, b in zip(rings[:-1], rings[1:-1], strict=False):
        mesh.strip(a, b)
    mesh.zipper(rings[-2], rings[-1])
    return rings


def add_nostril(mesh: HalfMesh, floor: list[int]) -> list[int]:
    """Refine the faces numbered in floor and sink them into the nose; returns new vertices.

    The floor's rim and the landmarks in it stay where they are.
    """
    corners = {i for number in floor for i in mesh.faces[number]}
    fine = mesh.refine(floor)
    members = corners | set(fine)
    edge = _rim(mesh, members)
    inner = sorted(members - edge)
    rim = mesh.at(sorted(edge))
    points = mesh.at(inner)
    away = np.linalg.norm(points[:, None] - rim, axis=2).min(axis=1)
    sink = np.sqrt(np.clip(away / away.max(), 0, 1))
    for vertex, point, part in zip(inner, points, sink, strict=True):
        mesh.points[vertex] = point + part * NOSTRIL_DEPTH
    return fine


def _rim(mesh: HalfMesh, members: set[int]) -> set[int]:
    """Return the members that share a face with others."""
    return {i for face in mesh.faces for i in face if i in members and not members >= {*face}}


def _on_plane(x: F64, y: F64, z: F64) -> F64:
    """Return points (N, 3) whose first and last lie exactly on the sagittal plane."""
    x[[0, -1]] = 0.0
    return np.column_stack([x, y, z])
