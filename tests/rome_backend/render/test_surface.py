# SPDX-License-Identifier: Apache-2.0
"""Surfaces: what is refused, and how much of a texture a small head shows.

Does not test where UVs lead (test_texture.py does).
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rome_backend.render.surface import Surface, sample_surface, textured_surface

FACES = np.array([[0, 1, 2]], np.int32)
UVS = np.zeros((1, 3, 2), np.float32)


def checker(side: int = 64) -> Surface:
    """A surface whose texels are black and white by turns."""
    board = (np.indices((side, side)).sum(0) % 2 * 255).astype(np.uint8)
    return textured_surface(FACES, UVS, np.repeat(board[..., None], 3, 2))


def centres(side: int = 64) -> torch.Tensor:
    """The UVs of the texels' centres (side^2, 2)."""
    at = (torch.arange(side) + 0.5) / side
    return torch.stack(torch.meshgrid(at, at, indexing="xy"), -1).reshape(-1, 2)


def test_a_texture_at_its_own_size_is_exact() -> None:
    seen = sample_surface(checker(), centres(), 1.0)
    assert sorted(set(seen.flatten().tolist())) == [0.0, 1.0]
    assert torch.equal(seen, sample_surface(checker(), centres(), 0.01))


@pytest.mark.parametrize("shrink", [2.0, 5.0, 64.0, 1e9])
def test_a_texture_made_small_is_grey(shrink: float) -> None:
    seen = sample_surface(checker(), centres(), shrink)
    assert torch.allclose(seen, torch.full_like(seen, 0.5), atol=1e-6)


def test_between_two_sizes_both_are_mixed() -> None:
    contrast = [sample_surface(checker(), centres(), 2.0**k).std().item() for k in (0, 0.25, 0.5)]
    assert contrast[0] > contrast[1] > contrast[2] > 0
    assert contrast[1] == pytest.approx(0.75 * contrast[0], rel=1e-4)


def test_oblong_textures_are_allowed() -> None:
    albedo = np.zeros((16, 128, 3), np.uint8)
    albedo[:, 64:] = 200
    seen = sample_surface(
        textured_surface(FACES, UVS, albedo), torch.tensor([[0.1, 0.9], [0.9, 0.1]]), 1.0
    )
    assert seen[:, 0].tolist() == pytest.approx([0.0, 200 / 255])


@pytest.mark.parametrize(
    ("faces", "uvs", "albedo"),
    [
        (FACES, UVS[:, :2], (4, 4, 3)),
        (FACES[:, :2], UVS, (4, 4, 3)),
        (FACES, np.zeros((2, 3, 2), np.float32), (4, 4, 3)),
        (FACES, UVS, (4, 4, 4)),
        (FACES, UVS, (0, 4, 3)),
        (FACES - 1, UVS, (4, 4, 3)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    faces: np.ndarray, uvs: np.ndarray, albedo: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError):
        textured_surface(faces, uvs, np.zeros(albedo, np.uint8))
