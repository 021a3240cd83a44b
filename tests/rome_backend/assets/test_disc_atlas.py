# SPDX-License-Identifier: Apache-2.0
"""The computed layout on bags of many shapes: in the square, not folded, even, repeatable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.assets.disc_atlas import (
    disc_layout,
    eyeball_layout,
    head_layout,
    hem_loop,
    signed_areas,
    unfolded,
)


def bag(rings: int = 14, around: int = 24) -> tuple[Any, Any]:
    """A head-like bag: a sphere of 10 cm with its pole upwards and a hole below."""
    polar = np.linspace(0, np.radians(150), rings + 1)[1:]
    turn = np.arange(around) * 2 * np.pi / around
    x = np.sin(polar)[:, None] * np.sin(turn)
    y = np.broadcast_to(np.cos(polar)[:, None], x.shape)
    z = np.sin(polar)[:, None] * np.cos(turn)
    points = np.concatenate([[[0, 1, 0]], np.stack([x, y, z], -1).reshape(-1, 3)])
    faces = [(0, 1 + n, 1 + (n + 1) % around) for n in range(around)]
    for ring in range(rings - 1):
        for n in range(around):
            a, b = 1 + ring * around + n, 1 + ring * around + (n + 1) % around
            c, d = a + around, b + around
            left = n < around // 2  # mirrored halves: springs would turn a twisted mesh
            faces += [(a, c, b), (b, c, d)] if left else [(a, c, d), (a, d, b)]
    return 0.1 * points, np.array(faces)


def test_a_bag_lies_flat_without_folds_and_evenly() -> None:
    points, faces = bag()
    uvs = disc_layout(points, faces, np.ones(len(points)))
    assert uvs.min() >= 0 and uvs.max() <= 1
    flat = signed_areas(uvs, faces)
    assert (flat > 0).all()
    solid = np.cross(points[faces[:, 1]] - points[faces[:, 0]],
                     points[faces[:, 2]] - points[faces[:, 0]])  # fmt: skip
    density = np.sqrt(np.abs(flat) / (np.linalg.norm(solid, axis=1) / 2))
    assert np.percentile(density, 90) / np.percentile(density, 10) < 4
    assert np.array_equal(uvs, disc_layout(points, faces, np.ones(len(points))))
    assert np.abs(uvs[points[:, 2].argmax()] - 0.5).max() < 0.01  # the foremost is in the middle
    assert uvs[points[:, 0].argmax(), 0] > 0.6 > 0.4 > uvs[points[:, 0].argmin(), 0]
    assert uvs[0, 1] > 0.6  # the crown is above


def test_what_is_important_gets_more_room() -> None:
    points, faces = bag()
    front = points[:, 2] > 0.03
    plain = disc_layout(points, faces, np.ones(len(points)))
    more = disc_layout(points, faces, np.where(front, 2.0, 1.0))
    own = front[faces].all(1)
    grown = signed_areas(more, faces[own]).sum() / signed_areas(plain, faces[own]).sum()
    assert grown > 1.1


def test_meshes_without_one_hem_are_refused() -> None:
    points, faces = bag()
    assert len(hem_loop(faces)) == 24
    with pytest.raises(ValueError, match="open edge"):
        hem_loop(np.array([(0, 1, 2), (0, 2, 3), (0, 3, 1), (1, 3, 2)]))
    with pytest.raises(ValueError, match="open edge"):
        disc_layout(points, np.delete(faces, [0, 1], 0), np.ones(len(points)))


def test_an_eyeballs_front_is_a_disc_and_its_back_a_spot() -> None:
    points, faces = bag(rings=20)
    uvs, corners = eyeball_layout(points, faces, left=True)
    areas = signed_areas(uvs, corners)
    front = points[faces][..., 2].min(1) > -0.03
    assert (areas[front] > 0).all() and (areas >= -1e-12).all()
    assert uvs[:, 0].min() > 0.8 and uvs[:, 1].max() < 0.2
    other, _ = eyeball_layout(points, faces, left=False)
    assert other[:, 0].max() < 0.2


def grid(side: int = 7) -> tuple[Any, Any]:
    """A square of side * side vertices one apart, and its triangles."""
    y, x = np.divmod(np.arange(side * side), side)
    a = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate(
        [np.stack([a, a + 1, a + side], 1), np.stack([a + 1, a + side + 1, a + side], 1)]
    )
    return np.stack([x, y], -1).astype(np.float64), faces


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_turned_back_and_little_else_moves(seed: int) -> None:
    flat, faces = grid()
    inner = np.flatnonzero(((flat > 0) & (flat < 6)).all(1))
    rng = np.random.default_rng(seed)
    thrown = rng.choice(inner, 3, replace=False)
    folded = flat.copy()
    folded[thrown] += rng.uniform(-1.4, 1.4, (3, 2))
    assert (signed_areas(folded, faces) <= 0).any()
    straight = unfolded(folded, faces, inner)
    assert (signed_areas(straight, faces) > 0).all()
    around = np.unique(faces[np.isin(faces, thrown).any(1)])
    still = np.setdiff1d(np.arange(len(flat)), around)
    np.testing.assert_array_equal(straight[still], flat[still])


def test_what_is_not_folded_stays() -> None:
    flat, faces = grid()
    np.testing.assert_array_equal(unfolded(flat, faces, np.arange(len(flat))), flat)


def test_folds_that_cannot_be_turned_back_are_told(caplog: pytest.LogCaptureFixture) -> None:
    flat, faces = grid(3)
    mirrored = unfolded(flat * (-1, 1), faces, np.array([4]))
    assert (signed_areas(mirrored, faces) <= 0).any()
    assert "faces of the computed texture layout stay folded" in caplog.text


def test_flames_layout_has_no_folds(data_dir: Path) -> None:
    from rome_backend.assets.flame_head import closed_faces, eyeball_masks

    reduced = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    template, faces = reduced["v_template"], closed_faces(reduced["faces"])
    balls = eyeball_masks(template, faces)
    uvs, uv_faces = head_layout(template, faces, balls, np.ones(len(template)))
    assert uvs.dtype == np.float32 and uv_faces.shape == faces.shape
    assert uvs.min() >= 0 and uvs.max() <= 1
    sheet = ~(balls[0] | balls[1])[faces].all(1)
    assert (signed_areas(uvs, uv_faces)[sheet] > 0).all()
