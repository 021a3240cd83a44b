# SPDX-License-Identifier: Apache-2.0
"""Tests of reducing expressions to samples, on a small made-up face.

Does not need the model itself.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.camera import orbit
from tools.transfer_expressions import (
    EYEBALL,
    IctFace,
    depths,
    load_ict,
    one_sided,
    picture_of,
    shown,
    spaced,
    visible,
)

SIDE = 21


@pytest.fixture(scope="module")
def face() -> IctFace:
    """A bulging square 16 cm wide, and two small triangles behind it for eyeballs."""
    x, y = np.meshgrid(np.linspace(-0.08, 0.08, SIDE), np.linspace(-0.08, 0.08, SIDE))
    z = 0.05 - 4 * (x**2 + y**2)
    skin = np.column_stack([x.ravel(), y.ravel(), z.ravel()])
    n = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = n[:-1, :-1].ravel(), n[:-1, 1:].ravel(), n[1:, 1:].ravel(), n[1:, :-1].ravel()
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    eye = np.array([[0.02, 0, -0.02], [0.03, 0, -0.02], [0.025, 0.01, -0.02]])
    vertices = np.concatenate([skin, eye, eye[[1, 0, 2]] * (-1, 1, 1)])
    balls = np.array([[0, 1, 2], [3, 4, 5]]) + len(skin)
    left = np.zeros_like(vertices)
    left[vertices[:, 0] > 0, 1] = 0.004
    middle = np.zeros_like(vertices)
    middle[:, 2] = 0.002 + 0.01 * vertices[:, 0]
    moves = {"browDown_L": left, "browDown_R": left[:, :] * 0, "mouthPucker": middle}
    return IctFace(
        vertices=vertices,
        faces=np.concatenate([faces, balls]).astype(np.int32),
        parts=np.r_[np.zeros(len(faces), int), EYEBALL, EYEBALL],
        moves=moves,
        ibug=np.arange(68, dtype=np.int32),
    )


def test_pairs_and_middles_become_symmetric(face: IctFace) -> None:
    found = one_sided(face)
    assert set(found) == {"browDownLeft", "mouthPucker"}
    right_side = face.vertices[:, 0] > 0.001
    assert found["browDownLeft"][right_side, 1] == pytest.approx(0.002)  # half of none
    np.testing.assert_allclose(found["mouthPucker"][:, 2], 0.002, atol=1e-12)


def test_pixels_show_the_foremost_skin(face: IctFace) -> None:
    camera = orbit(np.array([0.0, 0.0, 0.05]), 1.0, 0, 0, 0.3, 256, 256)
    index, places = shown(face, camera)
    assert (index >= 0).sum() > 10_000
    assert (face.parts[index[index >= 0]] == 0).all()
    flat = np.array([[0.0, 0.0], [0.03, -0.02], [0.2, 0.0]])
    height = depths(face, flat, camera)
    assert height[:2] == pytest.approx(0.05 - 4 * (flat[:2] ** 2).sum(axis=1), abs=1e-3)
    assert height[2] == pytest.approx(0.05 - 4 * 0.08**2, abs=2e-3)  # beside it: its edge
    assert picture_of(face, camera).shape == (256, 256, 3)


def test_what_is_hidden_is_no_sample(face: IctFace) -> None:
    seen = visible(face)
    assert len(seen) > 0.9 * SIDE * SIDE
    assert seen.max() < SIDE * SIDE


def test_samples_are_denser_where_it_is_fine_and_come_in_pairs(face: IctFace) -> None:
    points = 0.5 * face.vertices[: SIDE * SIDE]
    coarse, fine = (spaced(points, np.full(len(points), value)) for value in (0.0, 1.0))
    assert len(fine) == len(points) and len(coarse) < len(points)
    chosen = points[coarse]
    away = np.linalg.norm(chosen[:, None] - chosen * (-1, 1, 1), axis=2)
    assert away.min(axis=1).max() < 1e-9


def test_the_model_file_is_read_in_metres(tmp_path: Path) -> None:
    file = tmp_path / "model.npz"
    np.savez(
        file,
        neutral_cm=np.ones((3, 3), np.float32),
        faces=np.array([[0, 1, 2]], np.int32),
        face_part=np.zeros(1, np.int8),
        expression_deltas=np.full((1, 3, 3), 2.0, np.float16),
        expression_names=np.array(["jawOpen"]),
        landmarks68=np.zeros(68, np.int32),
    )
    face = load_ict(file)
    assert face.vertices.max() == pytest.approx(0.01)
    assert face.moves["jawOpen"].max() == pytest.approx(0.02)
