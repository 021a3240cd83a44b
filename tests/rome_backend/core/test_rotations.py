# SPDX-License-Identifier: Apache-2.0
"""Tests of core/rotations.py: against scipy, at zero and near pi, and in torch.

Does not know skinning.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from rome_backend.core.rotations import (
    axis_angle_from_matrix,
    matrix_from_yaw_pitch_roll,
    rotation_matrices,
    yaw_pitch_roll_degrees,
)


def _vectors(count: int = 200) -> np.ndarray:
    """Axis-angle vectors of every size from 1e-12 to just under pi."""
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(count, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    angles = np.geomspace(1e-12, np.pi - 1e-9, count)
    return axes * angles[:, None]


def test_matches_scipy_at_every_angle() -> None:
    vectors = _vectors()
    expected = Rotation.from_rotvec(vectors).as_matrix()
    assert np.abs(rotation_matrices(vectors) - expected).max() < 1e-14


def test_zero_is_exactly_the_identity() -> None:
    assert np.array_equal(rotation_matrices(np.zeros((2, 3))), np.stack([np.eye(3)] * 2))


def test_leading_axes_are_kept_and_lists_accepted() -> None:
    vectors = _vectors(12).reshape(2, 6, 3)
    matrices = rotation_matrices(vectors)
    assert matrices.shape == (2, 6, 3, 3)
    assert np.array_equal(matrices[1, 4], rotation_matrices(vectors[1, 4].tolist()))


def test_torch_gives_the_same_values_in_its_own_precision() -> None:
    vectors = _vectors()
    single = rotation_matrices(torch.tensor(vectors, dtype=torch.float32), torch)
    assert single.dtype == torch.float32
    assert np.abs(single.numpy() - rotation_matrices(vectors)).max() < 1e-6
    double = rotation_matrices(torch.tensor(vectors), torch)
    assert np.abs(double.numpy() - rotation_matrices(vectors)).max() < 1e-15


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.00999, 0.01001, 1.0, 3.0])
def test_torch_gradient_is_the_finite_difference(size: float) -> None:
    vector = torch.tensor([0.6, -0.64, 0.48], dtype=torch.float64) * size
    vector.requires_grad_()
    assert torch.autograd.gradcheck(lambda v: rotation_matrices(v, torch), (vector,), atol=1e-7)


def test_axis_angle_round_trip_up_to_pi() -> None:
    vectors = _vectors()
    assert np.abs(axis_angle_from_matrix(rotation_matrices(vectors)) - vectors).max() < 1e-7


@pytest.mark.parametrize("axis", np.vstack([np.eye(3), [[0.6, 0.0, -0.8]]]))
def test_half_turns_keep_their_matrix(axis: np.ndarray) -> None:
    matrix = rotation_matrices(axis * np.pi)
    vector = axis_angle_from_matrix(matrix)
    assert np.isclose(np.linalg.norm(vector), np.pi)
    assert np.abs(rotation_matrices(vector) - matrix).max() < 1e-12


def test_no_rotation_has_the_zero_vector() -> None:
    assert np.array_equal(axis_angle_from_matrix(np.eye(3)), np.zeros(3))


def test_head_angles_turn_the_way_they_say() -> None:
    nose = np.array([0.0, 0.0, 1.0])
    crown = np.array([0.0, 1.0, 0.0])
    assert (matrix_from_yaw_pitch_roll(30, 0, 0) @ nose)[0] > 0, "yaw: to the subject's left"
    assert (matrix_from_yaw_pitch_roll(0, 30, 0) @ nose)[1] < 0, "pitch: looking down"
    assert (matrix_from_yaw_pitch_roll(0, 0, 30) @ crown)[0] < 0, "roll: to the right shoulder"


def test_head_angles_round_trip() -> None:
    rng = np.random.default_rng(1)
    for angles in rng.uniform([-179, -89, -179], [179, 89, 179], (50, 3)):
        found = yaw_pitch_roll_degrees(matrix_from_yaw_pitch_roll(*angles))
        assert np.allclose(found, angles, atol=1e-9)


def test_parity_rotation_matrices(parity_dir: Path) -> None:
    fixture = np.load(parity_dir / "flame.npz")
    assert np.abs(rotation_matrices(fixture["pose"]) - fixture["rot_mats"]).max() < 1e-6
    projection = np.load(parity_dir / "projection.npz")
    found = rotation_matrices(projection["axis_angle"])
    assert np.abs(found - projection["rot_mat"]).max() < 1e-6
