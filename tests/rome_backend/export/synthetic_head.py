# SPDX-License-Identifier: Apache-2.0
"""Synthetic heads of any size: every array of a head model, dense and random, but seeded.

Does not know any package under test except the shared types.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from rome_backend.core.camera import weak_perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import (
    JOINTS,
    Avatar,
    FlameParams,
    HeadModel,
    LandmarkTable,
    OffsetBasis,
)

PARENTS = (-1, 0, 1, 1, 1)
EXPRESSIONS = ("browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmileLeft")
SHAPES = 6
CROP = 96


@dataclass(frozen=True)
class SyntheticHead:
    """A head model with its offset basis and one avatar."""

    head: HeadModel
    basis: OffsetBasis
    avatar: Avatar


def _ball(count: int, centre: tuple[float, float, float], radii: tuple[float, float, float]):
    """Return points (count, 3) of a Fibonacci sphere and faces wound outwards."""
    index = np.arange(count) + 0.5
    height, turn = 1.0 - 2.0 * index / count, np.pi * (1.0 + 5.0**0.5) * index
    ring = np.sqrt(1.0 - height**2)
    sphere = np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)
    faces = ConvexHull(sphere).simplices.astype(np.int32)
    corners = sphere[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inwards = np.einsum("ij,ij->i", normal, corners.mean(axis=1)) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    return sphere * radii + centre, faces, sphere


def _uvs(sphere, faces):
    """Return uvs and uv_faces of a cylinder projection, cut along its seam."""
    u = np.arctan2(sphere[:, 0], sphere[:, 2]) / (2 * np.pi) + 0.5
    uvs = np.stack([u, (sphere[:, 1] + 1.0) / 2.0], axis=1)
    uv_faces = faces.copy()
    crossing = np.ptp(u[faces], axis=1) > 0.5
    low = crossing[:, None] & (u[faces] < 0.5)
    moved = np.unique(faces[low])
    twin = {vertex: len(uvs) + number for number, vertex in enumerate(moved.tolist())}
    uv_faces[low] = [twin[vertex] for vertex in faces[low].tolist()]
    extra = np.stack([np.ones(len(moved)), uvs[moved, 1]], axis=1)
    return np.concatenate([uvs, extra]).astype(np.float32), uv_faces.astype(np.int32)


def _surface(skin: int, eye: int):
    parts = [
        _ball(skin, (0.0, 0.0, 0.0), (0.08, 0.13, 0.1)),
        _ball(eye, (0.032, 0.03, 0.08), (0.012, 0.012, 0.012)),
        _ball(eye, (-0.032, 0.03, 0.08), (0.012, 0.012, 0.012)),
    ]
    starts = np.cumsum([0] + [len(part[0]) for part in parts])
    points = np.concatenate([part[0] for part in parts]).astype(np.float32)
    faces = np.concatenate([part[1] + start for part, start in zip(parts, starts, strict=False)])
    sphere = np.concatenate([part[2] for part in parts])
    return points, faces.astype(np.int32), sphere, starts


def _regions(points, starts):
    index = np.arange(len(points))
    return {
        "hair": points[:, 1] > 0.02,
        "neck": points[:, 1] < -0.06,
        "left_eyeball": (index >= starts[1]) & (index < starts[2]),
        "right_eyeball": index >= starts[2],
    }


def synthetic_head(skin: int = 150, eye: int = 20, seed: int = 1) -> SyntheticHead:
    """Return a head with ``skin`` + 2 ``eye`` vertices; equal seeds give equal heads."""
    rng = np.random.default_rng(seed)
    points, faces, sphere, starts = _surface(skin, eye)
    uvs, uv_faces = _uvs(sphere, faces)
    count = len(points)
    weights = rng.random((count, 5)) ** 4 + 1e-3
    regressor = rng.random((5, count)) ** 8
    pose_dirs = rng.normal(size=(count, 3, 36)) * 0.004
    pose_dirs[..., 18:] = 0.0
    head = HeadModel(
        name="synthetic",
        topology_id=f"synthetic-{count}",
        licence="Apache-2.0",
        source="test",
        template=points,
        faces=faces,
        uvs=uvs,
        uv_faces=uv_faces,
        shape_dirs=(rng.normal(size=(count, 3, SHAPES)) * 0.002).astype(np.float32),
        expression_dirs=(rng.normal(size=(count, 3, 5)) * 0.004).astype(np.float32),
        expression_names=EXPRESSIONS,
        pose_dirs=pose_dirs.astype(np.float32),
        joint_regressor=(regressor / regressor.sum(1, keepdims=True)).astype(np.float32),
        weights=(weights / weights.sum(1, keepdims=True)).astype(np.float32),
        parents=np.array(PARENTS, np.int32),
        regions=_regions(points, starts),
        landmarks=LandmarkTable(
            np.array([1], np.int32), np.array([0], np.int32), np.full((1, 3), 1 / 3, np.float32)
        ),
        joint_names=JOINTS,
    )
    basis = _basis(head, rng)
    return SyntheticHead(head, basis, _avatar(head, basis, rng))


def _basis(head: HeadModel, rng: np.random.Generator) -> OffsetBasis:
    dirs = rng.normal(size=(*head.template.shape, 60)) * 0.001
    dirs[~head.regions["hair"], :, :50] = 0.0
    dirs[~head.regions["neck"], :, 50:] = 0.0
    mean = rng.normal(size=head.template.shape) * 0.001
    names = [f"Hair{i:02d}" for i in range(1, 51)] + [f"Neck{i:02d}" for i in range(1, 11)]
    return OffsetBasis(mean.astype(np.float32), dirs.astype(np.float32), tuple(names))


def _avatar(head: HeadModel, basis: OffsetBasis, rng: np.random.Generator) -> Avatar:
    coefficients = rng.normal(size=60).astype(np.float32)
    coefficients[0], coefficients[55] = 4.5, -3.5
    free = (rng.normal(size=head.template.shape) * 0.001).astype(np.float32)
    offsets = basis.mean + basis.dirs @ coefficients + free
    turn = rotation_matrices(np.array([0.1, 0.4, -0.15]))
    params = FlameParams(shape=rng.normal(size=SHAPES), expression=rng.random(5))
    return Avatar(
        name="Ada",
        head_model=head.name,
        topology_id=head.topology_id,
        params=params,
        offset_coefficients=coefficients,
        free_offsets=free,
        offsets=offsets.astype(np.float32),
        albedo=rng.integers(0, 256, (32, 32, 3), dtype=np.uint8),
        confidence=rng.integers(0, 256, (32, 32), dtype=np.uint8),
        source_crop=rng.integers(0, 256, (CROP, CROP, 3), dtype=np.uint8),
        source_matte=np.full((CROP, CROP), 255, np.uint8),
        source_landmarks=np.zeros((478, 3), np.float32),
        camera=weak_perspective(250.0, turn, (51.0, 40.0), CROP, CROP),
        warnings=("face_turned",),
        licences={"head model": "Apache-2.0"},
        provenance={"source": "test"},
    )
