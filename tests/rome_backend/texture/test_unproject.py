# SPDX-License-Identifier: Apache-2.0
"""Unprojection: a known texture comes back where the photo shows it, and only there.

Does not test completion.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.camera import perspective, project
from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.unproject import unproject

SIZE = 256


@pytest.mark.parametrize("yaw", [0, 35, -60, 180])
def test_the_texture_comes_back_where_it_is_seen(
    egg: HeadModel, photograph, paint, psnr, yaw: float
) -> None:
    atlas = atlas_of(egg, SIZE)
    seen = unproject(egg, atlas, photograph(yaw))
    truth = paint(SIZE).reshape(-1, 3)[atlas.texel]
    sure = seen.weight > 0.3
    assert sure.mean() > 0.15
    assert psnr(seen.colour[sure], truth[sure]) > 33


def test_nothing_is_known_of_what_faces_away(egg: HeadModel, photograph) -> None:
    atlas = atlas_of(egg, SIZE)
    seen = unproject(egg, atlas, photograph(0))
    z = atlas.spread(egg.template)[:, 2]
    assert np.all(seen.weight[z < -0.005] == 0)
    assert seen.weight[z > 0.09].min() > 0.95
    assert np.all((seen.weight >= 0) & (seen.weight <= 1))


def test_normals_are_in_view_space(egg: HeadModel, photograph) -> None:
    atlas = atlas_of(egg, SIZE)
    x, _, z = atlas.spread(egg.template).T
    seen = unproject(egg, atlas, photograph(90))
    left = (x > 0.078) & (np.abs(z) < 0.02)
    assert seen.normal[left, 2].min() > 0.95


def test_a_surface_behind_another_is_not_seen(egg: HeadModel, photograph) -> None:
    view = photograph(0)
    vertices = view.vertices.copy()
    lid = egg.template[:, 1] > 0.05
    vertices[lid] = vertices[lid] * [0.5, 1, 1] + [0, -0.08, 0.05]  # hangs in front of the face
    atlas = atlas_of(egg, SIZE)
    seen = unproject(egg, atlas, replace(view, vertices=vertices))
    x, y, z = atlas.spread(egg.template).T
    hidden = (np.abs(x) < 0.012) & (np.abs(y) < 0.012) & (z > 0)
    assert hidden.sum() > 50
    assert np.all(seen.weight[hidden] == 0)


def test_outside_matte_and_photo_nothing_is_known(egg: HeadModel, photograph) -> None:
    atlas = atlas_of(egg, SIZE)
    view = photograph(0)
    x = atlas.spread(egg.template)[:, 0]
    matte, valid = view.matte.copy(), view.valid.copy()
    matte[:, : matte.shape[1] // 2] = 0
    valid[:, : matte.shape[1] // 2] = False
    for changed in (replace(view, matte=matte), replace(view, valid=valid)):
        seen = unproject(egg, atlas, changed)
        assert np.all(seen.weight[x < 0] == 0)
        assert seen.weight[x > 0.02].max() > 0.9


def test_the_shift_moves_where_colours_are_taken(egg: HeadModel, photograph) -> None:
    atlas = atlas_of(egg, SIZE)
    view = photograph(0)
    moved = replace(
        view,
        rgb=np.roll(view.rgb, 7, axis=1),
        matte=np.roll(view.matte, 7, axis=1),
        landmark_shift=view.landmark_shift + [7.0, 0.0],
    )
    first, second = unproject(egg, atlas, view), unproject(egg, atlas, moved)
    sure = (first.weight > 0.3) & (second.weight > 0.3)
    assert sure.mean() > 0.15
    assert np.abs(first.colour[sure] - second.colour[sure]).mean() < 1.0


def test_a_mesh_partly_behind_the_camera_is_looked_up_where_it_is_not(
    egg: HeadModel, photograph
) -> None:
    atlas = atlas_of(egg, SIZE)
    view = photograph(0)
    pinhole = perspective(900.0, np.eye(3), [0, 0, 0.05], 384, 384)
    seen = unproject(egg, atlas, replace(view, camera=pinhole))
    front = atlas.spread(egg.template)[:, 2] > 0
    assert np.isfinite(seen.colour).all()
    assert np.isfinite(seen.weight).all()
    assert np.all(seen.weight[front] == 0)


@pytest.fixture
def cut_photo(photograph):
    """A photo that ends a little below the middle, in stripes; and its last row."""
    view = photograph(0)
    rgb, valid = view.rgb.copy(), view.valid.copy()
    last = 230
    rgb[last - 12 :] = 40
    rgb[last - 12 :, 190:] = (200, 30, 30)
    rgb[last + 1 :] = 0  # what lies beyond is not to be looked at
    valid[last + 1 :] = False
    return replace(view, rgb=rgb, valid=valid), last


def test_the_photo_is_drawn_out_below_its_end(egg: HeadModel, cut_photo) -> None:
    view, last = cut_photo
    atlas = atlas_of(egg, SIZE)
    seen = unproject(egg, atlas, view)
    px = project(view.camera, view.vertices)[:, :2]
    x, y = atlas.spread(px).T
    front = atlas.spread(egg.template)[:, 2] > 0.06
    lower = front & (y > last + 2) & (y < last + 30)
    assert lower.sum() > 100 and seen.below[lower].min() > 0.5
    assert np.all(seen.weight[lower] == 0)
    left, right = lower & (x < 180), lower & (x > 200)
    assert np.abs(seen.colour[left] - 40).max() < 12
    assert np.abs(seen.colour[right] - [200, 30, 30]).max() < 12
    assert seen.below[front & (y < last - 20)].max() == 0
    assert seen.below[atlas.spread(egg.template)[:, 2] < -0.005].max() == 0


def test_drawing_out_ends_and_needs_the_person(egg: HeadModel, cut_photo) -> None:
    view, last = cut_photo
    atlas = atlas_of(egg, SIZE)
    matte = view.matte.copy()
    matte[: last + 1, :190] = 0
    seen = unproject(egg, atlas, replace(view, matte=matte))
    x, y = atlas.spread(project(view.camera, view.vertices)[:, :2]).T
    assert seen.below[x < 185].max() == 0 and seen.below[x > 196].max() > 0.5
    metres = 0.32 / view.rgb.shape[0]
    high = replace(view, valid=view.valid & (np.arange(len(matte)) < 90)[:, None])
    below = unproject(egg, atlas, high).below
    away = (y - 86) * metres
    assert below[away > 0.2].max(initial=0) == 0
    assert below[(away > 0.01) & (away < 0.03)].max() > 0.5


def test_a_whole_photo_is_not_drawn_out(egg: HeadModel, photograph) -> None:
    seen = unproject(egg, atlas_of(egg, SIZE), photograph(0))
    assert not seen.below.any()
