# SPDX-License-Identifier: Apache-2.0
"""The atlas: which surface point a texel shows, averages back to vertices, and mirror images.

Does not test photos.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.pixels import px_to_uv
from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of, sample_image

SIZE = 192


def texel_centres(texel: np.ndarray, size: int) -> np.ndarray:
    return np.stack([texel % size + 0.5, texel // size + 0.5], -1)


def test_every_covered_texel_lies_under_its_own_uv(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    uv = px_to_uv(texel_centres(atlas.texel, SIZE), SIZE, SIZE)
    corners = egg.uvs[egg.uv_faces[atlas.face]].astype(float)
    weights = atlas.mix.data.reshape(-1, 3)
    assert np.allclose(np.einsum("pk,pkc->pc", weights, corners), uv, atol=1e-5)
    assert abs(atlas.covered.mean() - 0.81) < 0.01


def test_spread_interpolates_and_image_puts_it_in_place(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    points = atlas.spread(egg.template)
    corners = egg.template[egg.faces[atlas.face]]
    assert np.all(points >= corners.min(1) - 1e-6)
    assert np.all(points <= corners.max(1) + 1e-6)
    image = atlas.image(points)
    assert np.array_equal(image[atlas.covered], points)
    assert np.all(image[~atlas.covered] == 0)


def test_gather_inverts_spread_for_smooth_values(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    values = egg.template.copy()
    mean, total = atlas.gather(atlas.spread(values), np.ones(len(atlas.texel), np.float32))
    assert np.all(total > 0)
    inner = np.abs(egg.template[:, 1]) < 0.11
    assert np.abs(mean - values)[inner].max() < 0.006


def test_the_mirror_of_a_symmetric_layout_is_exact(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    expected = texel_centres(atlas.texel, SIZE) * [-1, 1] + [SIZE, 0]
    assert np.abs(atlas.mirror - expected).max() < 1e-2
    flipped = egg.template[atlas.mirror_vertex] * [-1, 1, 1]
    assert np.allclose(flipped, egg.template, atol=1e-6)


def test_the_mirror_without_mirror_faces_is_the_nearest_surface(egg: HeadModel) -> None:
    rng = np.random.default_rng(0)
    moved = egg.template.copy()
    moved += rng.normal(0, 1.2e-3, moved.shape).astype(np.float32)
    head = replace(egg, template=moved, topology_id="shaken egg")
    atlas = atlas_of(head, SIZE)
    points = atlas.spread(moved)
    lookup = np.full(SIZE**2, -1)
    lookup[atlas.texel] = np.arange(len(atlas.texel))
    column, row = np.clip(atlas.mirror.astype(int), 0, SIZE - 1).T
    there = lookup[row * SIZE + column]
    assert (there >= 0).mean() > 0.99
    gap = np.linalg.norm(points[there] * [-1, 1, 1] - points, axis=1)[there >= 0]
    assert np.quantile(gap, 0.99) < 0.006


def test_mirrored_values_come_from_the_other_side(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    x = atlas.spread(egg.template)[:, :1]
    left = (x[:, 0] > 0).astype(np.float32)
    values, weight = atlas.mirrored(np.repeat(x, 3, 1), left)
    deep = x[:, 0] < -0.005
    assert np.all(weight[deep] > 0.99)
    assert np.all(weight[x[:, 0] > 0.005] == 0)
    assert np.allclose(values[deep, 0], -x[deep, 0], atol=2e-3)


def test_atlases_are_kept_per_head_and_size(egg: HeadModel) -> None:
    assert atlas_of(egg, 64) is atlas_of(egg, 64)
    assert atlas_of(egg, 64) is not atlas_of(egg, 65)


@pytest.mark.parametrize("count", [1, 4096, 5000])
def test_sampling_needs_no_particular_number_of_points(count: int) -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    x, y = np.full(count, 1.5), np.full(count, 1.0)
    found = sample_image(image, x, y)
    assert found.shape == (count, 1)
    assert np.all(found == 5.5)


def test_where_uvs_overlap_the_outer_face_wins(egg: HeadModel) -> None:
    inner = egg.template * 0.8
    count = len(egg.template)
    head = replace(
        egg,
        topology_id="egg in an egg",
        template=np.r_[inner, egg.template].astype(np.float32),
        faces=np.r_[egg.faces[:, ::-1], egg.faces + count].astype(np.int32),
        uv_faces=np.r_[egg.uv_faces[:, ::-1], egg.uv_faces].astype(np.int32),
        regions={name: np.r_[mask, mask] for name, mask in egg.regions.items()},
    )
    atlas = atlas_of(head, 64)
    assert np.all(atlas.face >= len(egg.faces))
