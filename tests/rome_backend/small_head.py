# SPDX-License-Identifier: Apache-2.0
"""A small valid head model for tests: an egg of 82 vertices with two eyeballs of 6, five joints.

Does not know any test, and it is no likeness: only the structure of a head model is real.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.core.head_model import head_topology_id
from rome_backend.core.landmarks import LANDMARKS_105
from rome_backend.core.types import HeadModel, LandmarkTable

RINGS, COLUMNS = 8, 10
RADII = np.array([0.075, 0.11, 0.09])  # m
EYE_CENTRE = np.array([0.032, 0.02, 0.068])  # m, the left one
EYE_RADIUS = 0.014
EXPRESSIONS = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight")
SHAPES = 6


def small_head() -> HeadModel:
    """Return the head: V 94, F 176, S 6, E 5, all 105 landmarks, the usual regions."""
    vertices, faces, uvs, uv_faces = _mesh()
    head = HeadModel(
        name="small",
        topology_id="",
        licence="Apache-2.0",
        source="our own, tests only",
        template=vertices.astype(np.float32),
        faces=faces.astype(np.int32),
        uvs=uvs.astype(np.float32),
        uv_faces=uv_faces.astype(np.int32),
        shape_dirs=_shape_dirs(vertices),
        expression_dirs=_expression_dirs(vertices),
        expression_names=EXPRESSIONS,
        pose_dirs=_pose_dirs(vertices),
        joint_regressor=_joint_regressor(vertices),
        weights=_weights(vertices),
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        regions=_regions(vertices),
        landmarks=_landmarks(vertices, faces),
    )
    return replace(head, topology_id=head_topology_id(head))


def _mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    egg, egg_faces, egg_uvs, egg_uv_faces = _egg()
    eye, eye_faces = _octahedron()
    vertices, faces = [egg], [egg_faces]
    uvs, uv_faces = [egg_uvs], [egg_uv_faces]
    for side, centre in enumerate((EYE_CENTRE, EYE_CENTRE * [-1, 1, 1])):
        faces.append(eye_faces + sum(map(len, vertices)))
        vertices.append(eye * EYE_RADIUS + centre)
        cell = np.array([[0.005, 0.83], [0.055, 0.83], [0.03, 0.97]])
        cells = cell + np.arange(8)[:, None, None] * [0.06, 0] + [0.5 * side, 0]
        uv_faces.append(np.arange(24).reshape(8, 3) + sum(map(len, uvs)))
        uvs.append(cells.reshape(-1, 2))
    return tuple(np.concatenate(part) for part in (vertices, faces, uvs, uv_faces))


def _egg() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rings from bottom to top; column 0 at the back (-Z), where the UVs are cut."""
    heights = np.linspace(-np.pi / 2, np.pi / 2, RINGS + 2)[1:-1]
    turns = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    ring, turn = np.meshgrid(heights, turns, indexing="ij")
    grid = np.stack([-np.sin(turn) * np.cos(ring), np.sin(ring), -np.cos(turn) * np.cos(ring)], -1)
    points = np.concatenate([grid.reshape(-1, 3), [[0, -1, 0], [0, 1, 0]]]) * RADII
    u = np.arange(COLUMNS + 1) / COLUMNS
    v = (np.arange(RINGS) + 1) / (RINGS + 1) * 0.8
    uvs = [np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)]
    middle = (np.arange(COLUMNS) + 0.5) / COLUMNS
    uvs += [np.stack([middle, np.full(COLUMNS, pole)], -1) for pole in (0.0, 0.8)]
    faces, uv_faces = [], []
    last, wide = (RINGS - 1) * COLUMNS, COLUMNS + 1
    for c in range(COLUMNS):
        n = (c + 1) % COLUMNS
        for r in range(RINGS - 1):
            low, high, uv = r * COLUMNS, (r + 1) * COLUMNS, r * wide + c
            faces += [(low + c, low + n, high + n), (low + c, high + n, high + c)]
            uv_faces += [(uv, uv + 1, uv + wide + 1), (uv, uv + wide + 1, uv + wide)]
        faces += [(RINGS * COLUMNS, n, c), (RINGS * COLUMNS + 1, last + c, last + n)]
        top = (RINGS - 1) * wide + c
        uv_faces += [(RINGS * wide + c, c + 1, c), (RINGS * wide + COLUMNS + c, top, top + 1)]
    return points, np.array(faces), np.concatenate(uvs), np.array(uv_faces)


def _octahedron() -> tuple[np.ndarray, np.ndarray]:
    points = np.array([[1, 0, 0], [0, 0, -1], [-1, 0, 0], [0, 0, 1], [0, 1, 0], [0, -1, 0]])
    faces = [face for k in range(4) for face in ((k, (k + 1) % 4, 4), ((k + 1) % 4, k, 5))]
    return points.astype(float), np.array(faces)


def _eyeballs() -> tuple[slice, slice]:
    skin = RINGS * COLUMNS + 2
    return slice(skin, skin + 6), slice(skin + 6, skin + 12)


def _shape_dirs(vertices: np.ndarray) -> np.ndarray:
    """Three stretches, then three smooth waves."""
    x, y, z = vertices.T
    dirs = np.zeros((len(vertices), 3, SHAPES))
    for axis in range(3):
        dirs[:, axis, axis] = 0.05 * vertices[:, axis]
    dirs[:, 2, 3] = 0.003 * np.cos(20 * y)
    dirs[:, 1, 4] = 0.002 * np.sin(30 * z)
    dirs[:, 0, 5] = 0.002 * np.sin(20 * y) * np.sign(x)
    for eyeball in _eyeballs():
        dirs[eyeball] = dirs[eyeball].mean(0)
    return dirs.astype(np.float32)


def _bump(vertices: np.ndarray, centre: tuple[float, float, float], radius: float) -> np.ndarray:
    bump = np.exp(-((vertices - centre) ** 2).sum(1) / radius**2)
    for eyeball in _eyeballs():
        bump[eyeball] = 0
    return bump


def _expression_dirs(vertices: np.ndarray) -> np.ndarray:
    dirs = np.zeros((len(vertices), 3, len(EXPRESSIONS)))
    dirs[:, 1, 0] = -0.02 * _bump(vertices, (0, -0.06, 0.08), 0.03)
    for k, side in enumerate((1, -1)):
        dirs[:, 0, 1 + k] = side * 0.01 * _bump(vertices, (side * 0.03, -0.04, 0.08), 0.03)
        dirs[:, 1, 3 + k] = -0.01 * _bump(vertices, (side * 0.03, 0.03, 0.08), 0.02)
    return dirs.astype(np.float32)


def _pose_dirs(vertices: np.ndarray) -> np.ndarray:
    waves = np.random.default_rng(5).normal(size=(3, 3, 36)) * 20
    dirs = 1e-3 * np.sin(np.einsum("va,abp->vbp", vertices, waves))
    for eyeball in _eyeballs():
        dirs[eyeball] = 0
    return dirs.astype(np.float32)


def _joint_regressor(vertices: np.ndarray) -> np.ndarray:
    """Root and neck from the two lowest rings, the jaw from a middle one, eyes from eyeballs."""
    regressor = np.zeros((5, len(vertices)))
    for joint, ring in enumerate((0, 1, 3)):
        regressor[joint, ring * COLUMNS : (ring + 1) * COLUMNS] = 1 / COLUMNS
    for joint, eyeball in zip((3, 4), _eyeballs(), strict=True):
        regressor[joint, eyeball] = 1 / 6
    return regressor.astype(np.float32)


def _weights(vertices: np.ndarray) -> np.ndarray:
    _, y, z = vertices.T
    weights = np.zeros((len(vertices), 5))
    up = np.clip((y + 0.1) / 0.06, 0, 1)
    jaw = up * np.clip(-y / 0.03, 0, 1) * np.clip(z / 0.05, 0, 1)
    weights[:, 0], weights[:, 1], weights[:, 2] = 1 - up, up - jaw, jaw
    for joint, eyeball in zip((3, 4), _eyeballs(), strict=True):
        weights[eyeball] = np.eye(5)[joint]
    return weights.astype(np.float32)


def _regions(vertices: np.ndarray) -> dict[str, np.ndarray]:
    x, y, z = vertices.T
    skin = np.ones(len(vertices), bool)
    eyeballs = []
    for part in _eyeballs():
        skin[part] = False
        eyeballs.append(np.isin(np.arange(len(vertices)), np.arange(part.start, part.stop)))
    face = skin & (z > 0.02) & (np.abs(y) < 0.08)
    return {
        "face": face,
        "lips": face & (np.abs(x) < 0.04) & (y < -0.02) & (y > -0.08),
        "left_eye_region": face & (x > 0.01) & (y > 0) & (y < 0.05),
        "right_eye_region": face & (x < -0.01) & (y > 0) & (y < 0.05),
        "ears": skin & (np.abs(x) > 0.065) & (np.abs(y) < 0.05) & ~face,
        "hair": skin & ((z < 0) | (y > 0.06)) & (y > -0.03),
        "neck": skin & (y < -0.07),
        "mouth_inside": np.zeros(len(vertices), bool),
        "left_eyeball": eyeballs[0],
        "right_eyeball": eyeballs[1],
    }


def landmark_plan() -> np.ndarray:
    """Return where the 105 landmarks shall be in the face's x, y (105, 2) m: rough ellipses."""
    plan = np.zeros((105, 2))
    groups = (
        (slice(0, 10), (0.03, 0.045), (0.02, 0.004), 1),
        (slice(10, 20), (-0.03, 0.045), (0.02, 0.004), -1),
        (slice(20, 36), (0.03, 0.02), (0.014, 0.006), 1),
        (slice(36, 52), (-0.03, 0.02), (0.014, 0.006), -1),
        (slice(52, 65), (0, 0), (0.012, 0.02), 1),
        (slice(65, 105), (0, -0.05), (0.022, 0.01), 1),
    )
    for part, centre, radii, side in groups:
        angle = np.arange(part.stop - part.start) * 2 * np.pi / (part.stop - part.start)
        ellipse = np.stack([side * np.cos(angle), np.sin(angle)], -1) * radii
        plan[part] = ellipse + centre
    order = np.arange(105)  # the outer eye corners are first of their ellipses
    for first, corner in ((20, LANDMARKS_105.index(263)), (36, LANDMARKS_105.index(33))):
        order[[first, corner]] = order[[corner, first]]
    return plan[order]


def _landmarks(vertices: np.ndarray, faces: np.ndarray) -> LandmarkTable:
    egg = np.flatnonzero((faces < RINGS * COLUMNS + 2).all(1))
    front = egg[vertices[faces[egg]][:, :, 2].mean(1) > 0.01]
    corners = vertices[faces[front]]
    system = np.stack([corners[..., 0], corners[..., 1], np.ones(corners.shape[:2])], 1)
    plan = np.concatenate([landmark_plan(), np.ones((105, 1))], 1)
    barycentric = np.einsum("fij,lj->lfi", np.linalg.inv(system), plan)
    chosen = barycentric.min(-1).argmax(1)
    return LandmarkTable(
        indices=np.array(LANDMARKS_105, np.int32),
        faces=front[chosen].astype(np.int32),
        barycentric=barycentric[np.arange(105), chosen].astype(np.float32),
    )
