# SPDX-License-Identifier: Apache-2.0
"""Tests of assets/region_transfer.py: similarity, nearest surface against brute force, transfer.

Does not know FLAME.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rome_backend.assets.region_transfer import (
    hair_in_one_piece,
    nearest_surface,
    similarity,
    transfer_regions,
)
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import HeadModel, LandmarkTable

TURN = rotation_matrices([0.3, -0.8, 0.2])


def _eyeballs(head: HeadModel) -> dict[str, np.ndarray]:
    return {name: head.regions[name] for name in ("left_eyeball", "right_eyeball")}


def test_similarity_is_found_again() -> None:
    source = np.random.default_rng(0).normal(size=(12, 3))
    scale, rotation, shift = similarity(source, 1.7 * source @ TURN.T + [1, 2, 3])
    assert scale == pytest.approx(1.7)
    assert np.allclose(rotation, TURN) and np.allclose(shift, [1, 2, 3])


def test_similarity_never_mirrors() -> None:
    source = np.random.default_rng(0).normal(size=(12, 3))
    _, rotation, _ = similarity(source, source * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(2, 20, 3))
    scale, rotation, shift = similarity(source, target)

    def error(scale: float, rotation: np.ndarray, shift: np.ndarray) -> float:
        return float(((scale * source @ rotation.T + shift - target) ** 2).sum())

    best = error(scale, rotation, shift)
    for _ in range(30):
        turn = rotation_matrices(rng.normal(size=3) * 0.02)
        other = (scale + rng.normal() * 0.02, rotation @ turn, shift + rng.normal(size=3) * 0.02)
        assert error(*other) > best


def test_nearest_surface_is_that_of_a_dense_sampling(small_head: HeadModel) -> None:
    points = np.random.default_rng(0).uniform(-0.15, 0.15, (40, 3))
    face, weights, distance = nearest_surface(points, small_head.template, small_head.faces)
    corners = small_head.template.astype(float)[small_head.faces]
    found = np.einsum("nc,ncd->nd", weights, corners[face])
    assert np.allclose(np.linalg.norm(found - points, axis=1), distance)
    assert weights.min() >= 0 and np.allclose(weights.sum(1), 1)
    steps = np.linspace(0, 1, 13)
    grid = np.array([(a, b, 1 - a - b) for a in steps for b in steps if a + b <= 1 + 1e-9])
    samples = np.einsum("gc,fcd->fgd", grid, corners).reshape(-1, 3)
    dense = np.linalg.norm(samples[None] - points[:, None], axis=2).min(1)
    assert (distance <= dense + 1e-12).all() and (distance > dense - 0.003).all()


def test_points_of_the_surface_are_their_own_nearest(small_head: HeadModel) -> None:
    corners = small_head.template.astype(float)[small_head.faces]
    middles = corners.mean(1)
    face, weights, distance = nearest_surface(middles, small_head.template, small_head.faces)
    assert np.array_equal(face, np.arange(len(middles)))
    assert np.allclose(weights, 1 / 3) and distance.max() < 1e-12


def test_a_face_without_area_still_has_a_nearest_point() -> None:
    line = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0]])
    _, weights, distance = nearest_surface([[1.5, 1, 0]], line, np.array([[0, 1, 2]]))
    assert distance[0] == pytest.approx(1) and weights[0] @ line == pytest.approx([1.5, 0, 0])


def test_regions_follow_a_moved_and_scaled_head(small_head: HeadModel) -> None:
    moved = 1.3 * small_head.template @ TURN.T + [0.5, 0, -0.2]
    found = transfer_regions(
        small_head, moved, small_head.faces, small_head.landmarks, _eyeballs(small_head)
    )
    assert set(found) == set(small_head.regions)
    for name, mask in small_head.regions.items():
        assert np.array_equal(found[name], mask), name


def test_no_other_region_has_the_eyeballs(small_head: HeadModel) -> None:
    everything = small_head.regions | {"face": np.ones(94, bool)}
    found = transfer_regions(
        replace(small_head, regions=everything),
        small_head.template,
        small_head.faces,
        small_head.landmarks,
        _eyeballs(small_head),
    )
    assert found["face"].sum() == 82


def test_too_few_common_landmarks_are_an_error(small_head: HeadModel) -> None:
    table = small_head.landmarks
    few = LandmarkTable(table.indices[:9], table.faces[:9], table.barycentric[:9])
    with pytest.raises(ValueError, match="only 9 landmarks"):
        transfer_regions(
            small_head, small_head.template, small_head.faces, few, _eyeballs(small_head)
        )


def _flame(data_dir: Path) -> SimpleNamespace:
    """FLAME's surface with its ears, told from the rest by how far they stick out."""
    arrays = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    x, y, z = arrays["v_template"].T
    ears = (np.abs(x) > 0.078) & (np.abs(y) < 0.05) & (np.abs(z + 0.03) < 0.035)
    eyeballs = {}
    for side in ("left", "right"):
        eyeballs[f"{side}_eyeball"] = np.zeros(len(x), bool)
        eyeballs[f"{side}_eyeball"][arrays[f"eyeball_{side}"]] = True
    table = LandmarkTable(
        arrays["mp_landmark_indices"], arrays["mp_lmk_face_idx"], arrays["mp_lmk_b_coords"]
    )
    return SimpleNamespace(
        template=arrays["v_template"],
        faces=arrays["faces"],
        landmarks=table,
        regions={"ears": ears, "hair": ~ears & (z < -0.04) & (y > 0)} | eyeballs,
    )


@pytest.mark.parametrize("shift", [[0, 0, -0.012], [0, -0.01, 0.008]])
def test_ears_are_found_where_they_are(data_dir: Path, shift: list[float]) -> None:
    flame = _flame(data_dir)
    ears = flame.regions["ears"]
    middle = np.abs(flame.template[ears]).mean(0) * [1, 0, 0] + [0, 0, -0.03]
    away = np.linalg.norm(flame.template - middle, axis=1)
    other = np.linalg.norm(flame.template - middle * [-1, 1, 1], axis=1)
    near = np.clip(2 - np.minimum(away, other) / 0.05, 0, 1)[:, None]
    moved = flame.template + near * shift
    eyeballs = {name: flame.regions[name] for name in ("left_eyeball", "right_eyeball")}
    found = transfer_regions(flame, moved, flame.faces, flame.landmarks, eyeballs)["ears"]
    overlap = (found & ears).sum() / (found | ears).sum()
    assert overlap > 0.95, "0.34 and 0.58 by the similarity alone"


def test_hair_is_one_piece_and_apart_from_the_neck() -> None:
    faces = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4], [5, 6, 7], [8, 9, 10]])
    hair = np.array([True] * 8 + [False] * 4)
    neck = np.array([False] * 4 + [True] + [False] * 7)
    found = hair_in_one_piece({"hair": hair, "neck": neck, "lips": neck}, faces)
    assert np.flatnonzero(found["hair"]).tolist() == [0, 1, 2, 3]
    assert found["lips"] is neck and hair.sum() == 8
    assert not hair_in_one_piece({"hair": np.zeros(12, bool)}, faces)["hair"].any()
    assert "hair" not in hair_in_one_piece({"neck": neck}, faces)
