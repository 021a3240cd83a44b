# SPDX-License-Identifier: Apache-2.0
"""Synthetic scenes: a symmetric egg-shaped head, a known texture, and photos taken of it.

Does not know the modules under test beyond the view they are given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rome_backend.core.camera import orbit
from rome_backend.core.types import HeadModel, LandmarkTable
from rome_backend.render.shading import picture
from rome_backend.texture.view import TextureView

RINGS, COLUMNS = 25, 48
BACKGROUND = (40, 90, 200)
Photographer = Callable[..., TextureView]


def _egg() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (m), faces, uvs, uv faces; column 0 at the back, where the UVs are cut."""
    height = np.linspace(-1.35, 1.45, RINGS)
    turn = np.arange(COLUMNS) * 2 * np.pi / COLUMNS
    ring, turn = np.meshgrid(height, turn, indexing="ij")
    x, z = -np.sin(turn) * np.cos(ring), -np.cos(turn) * np.cos(ring)
    points = np.stack([x, np.sin(ring), z], -1).reshape(-1, 3) * [0.08, 0.13, 0.1]
    grid = np.stack(np.meshgrid(np.arange(COLUMNS + 1), np.arange(RINGS)), -1).reshape(-1, 2)
    uvs = grid / [COLUMNS, RINGS - 1] * 0.9 + 0.05
    faces, uv_faces = [], []
    for r in range(RINGS - 1):
        for c in range(COLUMNS):
            wide, n = COLUMNS + 1, (c + 1) % COLUMNS
            a, b = r * COLUMNS + c, r * COLUMNS + n
            d, e = b + COLUMNS, a + COLUMNS
            ua, ub = r * wide + c, r * wide + c + 1
            ud, ue = ub + wide, ua + wide
            if c < COLUMNS // 2:  # diagonals are mirrored, so the mesh is symmetric
                faces += [(a, b, d), (a, d, e)]
                uv_faces += [(ua, ub, ud), (ua, ud, ue)]
            else:
                faces += [(a, b, e), (b, d, e)]
                uv_faces += [(ua, ub, ue), (ub, ud, ue)]
    return points, np.array(faces), uvs, np.array(uv_faces)


def _regions(points: np.ndarray) -> dict[str, np.ndarray]:
    x, y, z = points.T
    none = np.zeros(len(points), bool)
    hair = ((z < -0.01) & (y > -0.03)) | (y > 0.085)
    neck = (y < -0.07) & ~hair
    return {
        "face": (z > 0.02) & ~hair & ~neck,
        "lips": (z > 0.05) & (np.abs(x) < 0.02) & (np.abs(y + 0.045) < 0.012),
        "left_eye_region": (np.abs(x - 0.03) < 0.015) & (np.abs(y - 0.03) < 0.015) & (z > 0),
        "right_eye_region": (np.abs(x + 0.03) < 0.015) & (np.abs(y - 0.03) < 0.015) & (z > 0),
        "ears": (np.abs(x) > 0.07) & (np.abs(y) < 0.03) & ~hair,
        "hair": hair,
        "neck": neck,
        "mouth_inside": none,
        "left_eyeball": none,
        "right_eyeball": none,
    }


@pytest.fixture(scope="session")
def egg() -> HeadModel:
    """A symmetric head of 1,200 vertices without eyeballs; UVs are cut at the back."""
    points, faces, uvs, uv_faces = _egg()
    count = len(points)
    front = np.flatnonzero(points[faces].mean(1)[:, 2] > 0.03)[::7]
    return HeadModel(
        name="egg",
        topology_id="egg-of-the-texture-tests",
        licence="Apache-2.0",
        source="our own, tests only",
        template=points.astype(np.float32),
        faces=faces.astype(np.int32),
        uvs=uvs.astype(np.float32),
        uv_faces=uv_faces.astype(np.int32),
        shape_dirs=np.zeros((count, 3, 1), np.float32),
        expression_dirs=np.zeros((count, 3, 0), np.float32),
        expression_names=(),
        pose_dirs=np.zeros((count, 3, 36), np.float32),
        joint_regressor=np.full((5, count), 1 / count, np.float32),
        weights=np.full((count, 5), 0.2, np.float32),
        parents=np.array([-1, 0, 1, 1, 1], np.int32),
        regions=_regions(points),
        landmarks=LandmarkTable(
            np.arange(len(front), dtype=np.int32),
            front.astype(np.int32),
            np.full((len(front), 3), 1 / 3, np.float32),
        ),
    )


def painted_texture(size: int, hair_from: float = 0.26, symmetric: bool = False) -> np.ndarray:
    """A texture (T, T, 3) f32: skin with soft stripes in front, brown hair at the back."""
    v, u = np.meshgrid(
        1 - (np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size, indexing="ij"
    )
    across = np.abs(u - 0.5) if symmetric else u
    skin = np.array([196, 148, 122]) + 22 * np.sin(40 * across + 12 * v)[..., None]
    hair = np.array([80, 58, 40]) + 8 * np.sin(90 * u)[..., None]
    share = np.clip((np.abs(u - 0.5) - hair_from) / 0.02 + 0.5, 0, 1)[..., None]
    share = np.maximum(share * np.clip((v - 0.38) / 0.02, 0, 1)[..., None], 0)
    top = np.clip((v - 0.78) / 0.02, 0, 1)[..., None]
    share = np.maximum(share, top)
    return (skin * (1 - share) + hair * share).astype(np.float32)


@pytest.fixture(scope="session")
def paint() -> Callable[..., np.ndarray]:
    """paint(size, hair_from=0.26, symmetric=False): the texture the photos are taken of."""
    return painted_texture


@pytest.fixture(scope="session")
def psnr() -> Callable[[np.ndarray, np.ndarray], float]:
    """psnr(a, b) in dB of colours 0..255."""

    def decibels(a: np.ndarray, b: np.ndarray) -> float:
        error = float(((np.asarray(a, float) - b) ** 2).mean())
        return 10 * np.log10(255**2 / max(error, 1e-9))

    return decibels


@pytest.fixture(scope="session")
def photograph(egg: HeadModel) -> Photographer:
    """photograph(yaw=0, size=384, albedo=None, gain=1.0) -> TextureView of the painted egg."""

    def take(
        yaw: float = 0.0, size: int = 384, albedo: np.ndarray | None = None, gain: float = 1.0
    ) -> TextureView:
        painted = painted_texture(512) if albedo is None else albedo
        painted = np.clip(painted * gain, 0, 255).astype(np.uint8)
        camera = orbit(np.zeros(3), 1.0, yaw, 0, 0.32, size, size)
        vertices = egg.template.astype(np.float64)
        image = picture(vertices, egg.faces, egg.uvs, egg.uv_faces, camera, painted, 3, BACKGROUND)
        alone = picture(vertices, egg.faces, None, None, camera, supersample=3)
        matte = alone[..., 3].astype(np.float32) / 255
        nowhere = np.zeros((len(vertices), 2))
        inside = np.ones((size, size), bool)
        return TextureView(image[..., :3], matte, inside, camera, vertices, nowhere)

    return take
