# SPDX-License-Identifier: Apache-2.0
"""A head's surface for the networks: uv per vertex, masks, the xyz texture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.avatar.head_surface import (
    HeadSurface,
    head_surface,
    kept_vertices,
    offset_mask,
    tightened,
    uv_fragments,
    vertex_uvs,
    xyz_texture,
)
from rome_backend.core.types import HeadModel
from rome_backend.render.rasterizer import TorchRasterizer


def test_vertex_uvs_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "uv_texture.npz")
    found = vertex_uvs(data["uv"], data["uv_faces"].astype(int), data["faces"].astype(int), 5023)
    assert np.abs(found - data["vertex_uv"]).max() <= 6e-8


@pytest.mark.parametrize("side", [64, 128])
def test_xyz_texture_parity(parity_dir: Path, data_dir: Path, side: int) -> None:
    data = np.load(parity_dir / "uv_texture.npz")
    head = np.load(data_dir / "flame" / "flame2023_open_reduced.npz")
    faces, uv_faces = (
        torch.as_tensor(data[name].astype(np.int64)) for name in ("faces", "uv_faces")
    )
    own = torch.as_tensor(data["vertex_uv"])
    surface = HeadSurface(faces, torch.as_tensor(data["uv"]), uv_faces, own, own[:, 0])
    texels = uv_fragments(surface, TorchRasterizer(1e-8), side)
    found = xyz_texture(surface, texels, torch.as_tensor(head["v_template"])[None])[0].numpy()
    expected = data[f"xyz_{side}"]
    covered = np.any(expected != 0, axis=0)
    assert (covered != texels.covered()[0].numpy()).sum() <= 0.001 * covered.sum()
    assert np.abs(found - expected)[:, covered].max() <= 1e-5


def test_of_a_seam_the_larger_coordinates_win() -> None:
    uvs = np.array([[0.1, 0.2], [0.5, 0.9], [0.3, 0.4], [0.8, 0.6]])
    faces, uv_faces = np.array([[0, 1, 2], [0, 2, 1]]), np.array([[0, 1, 2], [3, 2, 1]])
    found = vertex_uvs(uvs, uv_faces, faces, 3)
    assert np.allclose(found[0], [0.6, 0.6])  # u of the second uv, y of the first
    assert np.allclose(found[1], [0.0, -0.8])
    with pytest.raises(ValueError, match="no face"):
        vertex_uvs(uvs, uv_faces, faces, 4)


def test_the_mask_is_the_support_of_the_mean_offsets(small_head: HeadModel) -> None:
    mean = np.zeros((94, 3), np.float32)
    mean[[3, 7], [0, 2]] = [-1e-3, 2e-3]
    assert np.nonzero(offset_mask(small_head, mean))[0].tolist() == [3, 7]
    with pytest.raises(ValueError, match="do not fit"):
        offset_mask(small_head, mean[:-1])


def test_without_a_table_hair_and_neck_may_move(small_head: HeadModel) -> None:
    mask = offset_mask(small_head)
    assert np.array_equal(mask > 0, small_head.regions["hair"] | small_head.regions["neck"])
    assert 0 < mask.sum() < len(mask)
    with pytest.raises(ValueError, match="no regions"):
        offset_mask(replace(small_head, regions={}))


def test_a_head_s_surface_holds_its_arrays(small_head: HeadModel) -> None:
    surface = head_surface(small_head)
    assert np.array_equal(surface.faces.numpy(), small_head.faces)
    assert torch.equal(surface.corner_uvs(), surface.uvs[surface.uv_faces])
    assert surface.vertex_uv.shape == (94, 2) and surface.vertex_uv.abs().max() <= 1
    with pytest.raises(ValueError, match="mask"):
        head_surface(small_head, np.ones(3))


def test_the_xyz_texture_of_a_batch_is_each_head_s_own(small_head: HeadModel) -> None:
    surface = head_surface(small_head)
    texels = uv_fragments(surface, TorchRasterizer(), 32)
    one = torch.as_tensor(small_head.template)[None]
    two = torch.cat([one, one + 0.1])
    both = xyz_texture(surface, texels, two)
    assert both.shape == (2, 3, 32, 32)
    assert torch.equal(both[:1], xyz_texture(surface, texels, one))
    inside = texels.covered()[0]
    assert torch.allclose((both[1] - both[0])[:, inside], torch.tensor(0.5), atol=1e-5)
    assert both[:, :, ~inside].eq(0).all()


def test_tightness_holds_the_face_and_forgets_nothing() -> None:
    mask = np.array([1, 1, 0, 0], np.float32)
    kept = np.array([False, True, True, False])
    assert tightened(mask, kept, 0).tolist() == [1, 1, 0, 0]
    tight = tightened(mask, kept, 1e-4)
    assert tight.tolist() == pytest.approx([1, 1e-4, 1e-4, 0])
    assert mask.tolist() == [1, 1, 0, 0]
    assert tightened(mask, kept, 0).tolist() == [1, 1, 0, 0]
    with pytest.raises(ValueError, match="negative"):
        tightened(mask, kept, -1)


def test_what_is_kept_comes_from_a_picture_or_from_regions(small_head: HeadModel) -> None:
    own = kept_vertices(small_head)
    regions = small_head.regions
    assert own[regions["face"]].all() and own[regions["left_eyeball"]].all()
    assert not own[regions["hair"] & ~regions["face"]].any()
    left = np.zeros((64, 64))
    left[:, 32:] = 1
    found = kept_vertices(small_head, left)
    own_uv = vertex_uvs(
        small_head.uvs, small_head.uv_faces, small_head.faces, len(small_head.template)
    )
    sure = (np.abs(own_uv[:, 0]) > 0.05) & (np.abs(own_uv) < 0.96).all(1)
    assert sure.sum() > 10
    assert np.array_equal(found[sure], own_uv[sure, 0] > 0)
