# SPDX-License-Identifier: Apache-2.0
"""Tests of the sampled expressions: the file, sides, and moves on other faces."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.open_head.expression_samples import (
    APART_M,
    FILE,
    SIDES,
    STEP_M,
    sampled_moves,
    side_coordinates,
)
from rome_backend.open_head.expressions import ARKIT_NAMES
from rome_backend.open_head.geometry import HeadGeometry
from rome_backend.open_head.mean_face import mirror_landmarks


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(FILE) as data:
        return {name: data[name] for name in data.files}


def moves(geometry: HeadGeometry, change: np.ndarray) -> dict[str, np.ndarray]:
    vertices = geometry.skin_vertices @ change.T
    chosen = np.arange(len(vertices)) < 468
    return sampled_moves(vertices[:468], vertices, geometry.skin_faces, chosen)


def test_the_file_names_its_source_and_its_keys(stored: dict[str, np.ndarray]) -> None:
    assert "MIT" in str(stored["attribution"]) and "ICT-FaceKit" in str(stored["attribution"])
    keys = set(stored) - {"attribution", "landmarks", "points", "sides"}
    wanted = {name for name in ARKIT_NAMES if not name.endswith("Right") and name != "tongueOut"}
    assert keys == wanted
    count = len(stored["points"])
    assert all(stored[key].shape == (count, 3) for key in keys)
    assert FILE.stat().st_size < 400_000


def test_samples_are_symmetric(stored: dict[str, np.ndarray]) -> None:
    points = stored["points"].astype(np.float64)
    image = points * (-1, 1, 1)
    distance = np.linalg.norm(points[:, None] - image, axis=2)
    partner = distance.argmin(axis=1)
    assert distance.min(axis=1).max() < 1e-4
    for name in ("mouthPucker", "jawOpen", "mouthFunnel"):
        move = stored[name] * STEP_M
        np.testing.assert_allclose(move[partner] * (-1, 1, 1), move, atol=2.1e-5)
    landmarks = stored["landmarks"]
    np.testing.assert_allclose(
        landmarks[mirror_landmarks()[:468]] * (-1, 1, 1), landmarks, atol=2e-3
    )


def test_sides_are_kept_apart_on_this_head(geometry: HeadGeometry) -> None:
    sides = [(np.array(above), np.array(below)) for above, below in SIDES]
    found = side_coordinates(geometry.skin_vertices, geometry.skin_faces, sides)
    assert found[13, 0] > 0.9 * APART_M and found[14, 0] < -0.9 * APART_M
    assert found[386, 1] > 0.9 * APART_M and found[374, 1] < -0.9 * APART_M
    assert np.abs(found[[10, 152]]).max() < 1e-3
    assert abs(found[61, 0]) < 1e-6  # a corner is neither


def test_moves_grow_with_the_face(geometry: HeadGeometry) -> None:
    plain, large = moves(geometry, np.eye(3)), moves(geometry, 1.5 * np.eye(3))
    for name in ("mouthSmileLeft", "browInnerUp", "jawOpen"):
        np.testing.assert_allclose(large[name], 1.5 * plain[name], atol=1.5e-3, err_msg=name)


def test_a_narrower_face_moves_at_the_same_landmarks(geometry: HeadGeometry) -> None:
    plain, narrow = moves(geometry, np.eye(3)), moves(geometry, np.diag([0.85, 1.05, 0.95]))
    for name in ("mouthSmileLeft", "noseSneerLeft", "browDownLeft"):
        sizes = [np.linalg.norm(each[name], axis=1) for each in (plain, narrow)]
        assert np.corrcoef(*sizes)[0, 1] > 0.97, name


def test_lips_part_when_the_jaw_opens(geometry: HeadGeometry) -> None:
    opened = moves(geometry, np.eye(3))["jawOpen"]
    assert opened[13, 1] > -0.006 and opened[14, 1] < -0.025
    assert opened[14, 1] < opened[61, 1] < opened[13, 1]
