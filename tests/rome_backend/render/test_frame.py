# SPDX-License-Identifier: Apache-2.0
"""Frames against what geometry says: places, depths, UVs, normals, edges, colour, occlusion.

Does not test Blender's cameras (tests/blender_addon/test_engine*.py do).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from rome_backend.core.camera import crop_camera, orbit, perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import Camera
from rome_backend.render import frame as frame_module
from rome_backend.render.frame import FramePasses, render_frame
from rome_backend.render.scene import PlacedHead
from rome_backend.render.surface import Surface, textured_surface

ALL = tuple(field.name for field in fields(FramePasses))
SIDE = 48
AWAY = np.eye(4)  # the view of a camera at the origin
EYE = perspective(SIDE, np.eye(3), np.zeros(3), SIDE, SIDE)
QUAD = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]], np.float32)
QUAD_FACES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
QUAD_UVS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)[QUAD_FACES]


def quad(colour: Any = (255, 0, 0)) -> Surface:
    """A unit square in one colour, facing +z."""
    return textured_surface(QUAD_FACES, QUAD_UVS, np.full((8, 8, 3), colour, np.uint8))


def at(surface: Surface, z: float, size: float = 1.0, **options: Any) -> PlacedHead:
    """A square in front of the camera."""
    return PlacedHead(surface, (QUAD * size + [0, 0, z]).astype(np.float32), **options)


def draw(*heads: PlacedHead, camera: Camera = EYE, view: Any = AWAY, **options: Any) -> Any:
    options = {"passes": ALL} | options
    size = (camera.width, camera.height)
    return render_frame(heads, camera.world_to_clip, view, *size, **options)


def tilted() -> PlacedHead:
    """A square that leans away from the camera: depth differs by half over the picture."""
    points = QUAD * 1.2 + [0, 0, -2]
    points[:, 2] -= 1.5 * points[:, 0]
    return PlacedHead(quad(), points.astype(np.float32))


def rays(camera: Camera = EYE) -> np.ndarray:
    """Directions (H, W, 3) through the pixels' centres, for a camera of focal SIDE at 0."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    return np.stack([(x - SIDE / 2) / SIDE, (SIDE / 2 - y) / SIDE, -np.ones_like(x)], -1)


def test_depth_uv_and_normal_are_those_of_the_plane_behind_each_pixel() -> None:
    drawn, head = draw(tilted()), tilted()
    normal = np.cross(head.vertices[1] - head.vertices[0], head.vertices[2] - head.vertices[0])
    normal /= np.linalg.norm(normal)
    distance = (head.vertices[0] @ normal) / (rays() @ normal)
    hit = rays() * distance[..., None]
    full = drawn.mask == 1
    assert full.sum() > 300
    assert np.ptp(drawn.depth[full]) > 1
    assert np.abs(drawn.depth - distance)[full].max() < 1e-4
    side = 1.2 * np.sqrt(1 + 1.5**2)
    along = (head.vertices[1] - head.vertices[0]) / side
    u = (hit - head.vertices[0]) @ along / side
    v = (hit - head.vertices[0])[..., 1] / 1.2
    assert np.abs(drawn.uv - np.stack([u, v], -1))[full].max() < 1e-4
    assert np.abs(drawn.normal - normal)[full].max() < 1e-4


def test_every_covered_pixel_has_data_and_no_other() -> None:
    drawn = draw(tilted())
    covered = drawn.mask > 0
    assert 0 < covered.sum() < covered.size
    assert ((drawn.mask > 0) & (drawn.mask < 0.5)).any()
    assert np.array_equal(np.isfinite(drawn.depth), covered)
    assert np.array_equal(np.linalg.norm(drawn.normal, axis=-1) > 0.99, covered)
    assert not drawn.uv[~covered].any() and not drawn.combined[~covered].any()


def test_alpha_is_the_area_and_edges_keep_their_colour() -> None:
    turn = rotation_matrices(np.array([0.0, 0.0, 0.4]))
    points = (QUAD * 0.77) @ turn.T + [0, 0, -1.7]
    drawn = draw(PlacedHead(quad((200, 100, 0)), points.astype(np.float32)))
    side = 0.77 / 1.7 * SIDE
    assert drawn.mask.sum() == pytest.approx(side**2, rel=0.005)
    assert np.array_equal(drawn.mask, drawn.combined[..., 3])
    colours = drawn.combined[drawn.mask > 0][:, :3]
    assert np.abs(colours - np.array([200, 100, 0]) / 255).max() < 1e-6


def test_a_ramp_of_256_levels_is_exact() -> None:
    albedo = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2).repeat(8, 0)
    surface = textured_surface(QUAD_FACES, QUAD_UVS, albedo)
    drawn = draw(at(surface, 0), camera=orbit(np.zeros(3), 1, 0, 0, 1, 256, 256))
    assert np.abs(drawn.combined[128, :, :3] * 255 - np.arange(256)[:, None]).max() < 0.2


def test_the_nearest_head_wins_whatever_the_order() -> None:
    red, blue = at(quad(), -2, 1.5), at(quad((0, 0, 255)), -1, 0.4)
    for heads in ((red, blue), (blue, red)):
        drawn = draw(*heads)
        assert drawn.combined[24, 24].tolist() == [0, 0, 1, 1]
        assert drawn.combined[10, 10].tolist() == [1, 0, 0, 1]
        assert drawn.depth[24, 24] == pytest.approx(1) and drawn.depth[10, 10] == pytest.approx(2)


def test_heads_that_cross_are_cut_at_the_crossing() -> None:
    left = QUAD * 2 + [0, 0, -3]
    right = left.copy()
    left[:, 2] -= left[:, 0]
    right[:, 2] += right[:, 0]
    heads = [
        PlacedHead(quad(c), p.astype(np.float32)) for c, p in (((255, 0, 0), left), (0, right))
    ]
    drawn = draw(*heads)
    assert (drawn.combined[24, 12:23, 0] == 1).all() and (drawn.combined[24, 25:36, 0] == 0).all()


def test_close_surfaces_are_told_apart_with_a_clip_start_of_a_tenth_of_a_millimetre() -> None:
    camera = perspective(SIDE, np.eye(3), np.zeros(3), SIDE, SIDE, near=1e-4, far=1000.0)
    drawn = draw(at(quad((0, 0, 255)), -3 - 1e-4, 2), at(quad(), -3, 2), camera=camera)
    assert (drawn.combined[20:28, 20:28, 0] == 1).all()


def test_the_inner_side_is_dark_unless_the_head_is_mirrored() -> None:
    behind = QUAD[:, [0, 1, 2]] * [-1, 1, 1] + [0, 0, -1]
    inside = draw(PlacedHead(quad(255), behind.astype(np.float32)))
    mirrored = draw(PlacedHead(quad(255), behind.astype(np.float32), mirrored=True))
    assert inside.combined[24, 24, :3].max() < 0.3
    assert mirrored.combined[24, 24].tolist() == [1, 1, 1, 1]
    for drawn in (inside, mirrored):  # normals look at the camera, UVs stay with their corners
        assert drawn.normal[24, 24] == pytest.approx([0, 0, 1], abs=1e-6)
        assert drawn.uv[24, 30, 0] < drawn.uv[24, 18, 0]


def test_what_reaches_out_of_the_depth_range_is_left_out() -> None:
    camera = perspective(SIDE, np.eye(3), np.zeros(3), SIDE, SIDE, near=0.5, far=3.0)
    for z in (-0.4, -3.1, 1.0):
        assert not draw(at(quad(), z, 0.1), camera=camera).mask.any()
    through = PlacedHead(quad(), (QUAD[:, [0, 2, 1]] * 3).astype(np.float32))
    assert not draw(through, camera=camera).mask.any()
    assert draw(at(quad(), -1, 0.1), camera=camera).mask.any()


def test_a_part_of_a_frame_is_that_part_of_the_frame() -> None:
    affine = np.array([[1.0, 0, -13], [0, 1, -7]])
    whole, part = draw(tilted()), draw(tilted(), camera=crop_camera(EYE, affine, 20, 31))
    for name in ALL:
        expected = getattr(whole, name)[7:38, 13:33]
        found = getattr(part, name)
        assert found.shape == expected.shape
        inner = part.mask == 1  # which sample speaks for an edge pixel hangs on rounding
        assert np.abs(found[inner] - expected[inner]).max() < 1e-4, name
    assert np.array_equal(part.mask, whole.mask[7:38, 13:33])


def test_bands_join_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, checks = draw(tilted()), []
    monkeypatch.setattr(frame_module, "_TILE_SAMPLES", 9 * SIDE * 2)
    banded = draw(tilted(), check=lambda: checks.append(1))
    assert len(checks) > 10
    assert np.array_equal(whole.mask, banded.mask)
    assert np.abs(whole.combined - banded.combined).max() < 1e-5


def test_what_check_raises_ends_the_work() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(tilted(), check=stop)


def test_frames_without_heads_are_empty_and_other_passes_none() -> None:
    drawn = draw(passes=("mask", "depth"))
    assert drawn.combined is None and drawn.uv is None and drawn.normal is None
    assert not drawn.mask.any() and np.isinf(drawn.depth).all()
    beside = draw(PlacedHead(quad(), (QUAD + [9, 0, -2]).astype(np.float32)), passes=("mask",))
    assert not beside.mask.any()


@pytest.mark.parametrize(
    "wrong", [{"samples": 2}, {"samples": 0}, {"passes": ("shadow",)}], ids=lambda each: str(each)
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        draw(tilted(), **wrong)


def test_a_surface_of_another_mesh_is_refused() -> None:
    with pytest.raises(ValueError, match="vertex"):
        draw(PlacedHead(quad(), QUAD[:3]))
