# SPDX-License-Identifier: Apache-2.0
"""The sliding contour: which row for which yaw, the released double rotation, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import HeadModel
from rome_backend.tracking.contour import LandmarkEmbedding68, contour_row, landmarks_68


@pytest.fixture
def embedding() -> LandmarkEmbedding68:
    """Every landmark at a corner or inside of a face of its own; contour rows differ."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), 79 * 17 + 51).astype(np.float32)
    faces = rng.integers(0, 176, 79 * 17 + 51).astype(np.int32)
    return LandmarkEmbedding68(
        faces[51:].reshape(79, 17), weights[51:].reshape(79, 17, 3), faces[:51], weights[:51]
    )


@pytest.mark.parametrize(
    ("yaw", "row"), [(0, 0), (12.4, 12), (39, 39), (80, 39), (-1, 40), (-39, 78), (-75, 78)]
)
def test_rows_are_degrees_of_yaw(yaw: float, row: int) -> None:
    assert contour_row(matrix_from_yaw_pitch_roll(yaw, 0, 0)) == row


def test_the_release_looks_at_twice_the_yaw() -> None:
    turn = matrix_from_yaw_pitch_roll(11, 0, 0)
    assert contour_row(turn) == 11 and contour_row(turn, legacy=True) == 22


def test_roll_alone_does_not_move_the_contour() -> None:
    assert contour_row(matrix_from_yaw_pitch_roll(0, 0, 35)) == 0
    assert contour_row(matrix_from_yaw_pitch_roll(0, 25, 0)) == 0


def test_contour_first_then_the_fixed_ones(
    small_head: HeadModel, embedding: LandmarkEmbedding68
) -> None:
    turn = matrix_from_yaw_pitch_roll(-20, 0, 0)
    found = landmarks_68(small_head.template, small_head.faces, embedding, turn)
    assert found.shape == (68, 3)
    for place, face, weights in (
        (4, embedding.contour_faces[59, 4], embedding.contour_barycentric[59, 4]),
        (17, embedding.fixed_faces[0], embedding.fixed_barycentric[0]),
        (67, embedding.fixed_faces[50], embedding.fixed_barycentric[50]),
    ):
        expected = weights @ small_head.template[small_head.faces[face]]
        assert np.abs(found[place] - expected).max() < 1e-6
    straight = landmarks_68(small_head.template, small_head.faces, embedding, np.eye(3))
    assert np.array_equal(straight[17:], found[17:])
    assert np.abs(straight[:17] - found[:17]).max() > 1e-3


def test_torch_agrees_and_carries_gradients(
    small_head: HeadModel, embedding: LandmarkEmbedding68
) -> None:
    vertices = torch.tensor(small_head.template, dtype=torch.float64, requires_grad=True)
    found = landmarks_68(vertices, small_head.faces, embedding, np.eye(3), xp=torch)
    expected = landmarks_68(small_head.template, small_head.faces, embedding, np.eye(3))
    assert np.abs(found.detach().numpy() - expected).max() < 1e-12
    found.sum().backward()
    assert vertices.grad is not None
    assert torch.allclose(vertices.grad.sum(), torch.tensor(204.0, dtype=torch.float64), atol=1e-4)


def test_an_embedding_of_other_shapes_is_refused(embedding: LandmarkEmbedding68) -> None:
    with pytest.raises(ValueError, match="79 rows"):
        LandmarkEmbedding68(
            embedding.contour_faces[:40],
            embedding.contour_barycentric[:40],
            embedding.fixed_faces,
            embedding.fixed_barycentric,
        )
