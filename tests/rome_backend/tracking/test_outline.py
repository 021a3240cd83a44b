# SPDX-License-Identifier: Apache-2.0
"""Outlines of a box in known pictures. Does not know heads or offsets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.types import F64, FaceFit, FlameParams
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.outline import Outline, SquareView, find_outline, head_iou

SIZE, SCALE = 200, 500.0
FULL = 400  # the fit is in px of a picture twice as large


def view(yaw: float = 0.0) -> SquareView:
    params = FlameParams(shape=np.zeros(0), expression=np.zeros(0))
    rotation = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    middle = np.array([FULL / 2, FULL / 2])
    fit = FaceFit(params, 2 * SCALE, rotation, middle, yaw, 0.0, 0.0, 0.0)
    return SquareView(fit, FULL, SIZE)


def tube(radius: float = 0.1, sides: int = 40, rings: int = 9) -> tuple[F64, np.ndarray]:
    """An upright open tube 0.2 m high, faces counter-clockwise from outside."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.sin(angle), np.zeros(sides), np.cos(angle)], 1) * radius
    points = np.concatenate([ring + [0, y, 0] for y in np.linspace(-0.1, 0.1, rings)])
    k, n = np.arange(sides), (np.arange(sides) + 1) % sides
    faces = []
    for row in range(rings - 1):
        a, b, c = row * sides + k, row * sides + n, (row + 1) * sides + k
        d = (row + 1) * sides + n
        faces += [np.stack([a, b, d], 1), np.stack([a, d, c], 1)]
    return points, np.concatenate(faces).astype(np.int32)


def field(left: float, right: float) -> MatteField:
    """A person between two columns (m from the middle)."""
    matte = np.zeros((SIZE, SIZE), np.float32)
    matte[:, round(SIZE / 2 + left * SCALE) : round(SIZE / 2 + right * SCALE)] = 1.0
    return MatteField(matte, np.ones((SIZE, SIZE), bool), SIZE)


def outline(
    points: F64, faces: np.ndarray, matte: MatteField, movable: np.ndarray | None = None
) -> Outline:
    chosen = np.ones(len(points), bool) if movable is None else movable
    return find_outline(points, faces, chosen, view(), matte, TorchRasterizer(), (0.05, 0.06))


def test_projection_matches_the_fit_in_the_smaller_square() -> None:
    seen = view(30.0)
    point = np.array([[0.02, 0.05, -0.03]])
    turned = point @ seen.fit.rotation.T
    expected = [100 + SCALE * turned[0, 0], 100 - SCALE * turned[0, 1], turned[0, 2]]
    assert seen.project(point)[0] == pytest.approx(expected)
    assert seen.scale == SCALE


def test_gaps_and_normals_lead_to_the_matte() -> None:
    points, faces = tube()
    seen = outline(points, faces, field(-0.13, 0.08))
    right = points[seen.vertices, 0] > 0
    assert right.any() and (~right).any()
    assert seen.gaps[right] == pytest.approx(-0.02, abs=0.004)
    assert seen.gaps[~right] == pytest.approx(0.03, abs=0.004)
    assert seen.normals[right, 0] == pytest.approx(1.0, abs=0.05)
    assert np.linalg.norm(seen.normals, axis=1) == pytest.approx(1.0)


def test_a_near_camera_sees_less_of_a_tube_than_its_width() -> None:
    points, faces = tube()
    near = replace(view(), fit=replace(view().fit, distance=0.5))
    front, side = np.array([[0.05, 0.0, 0.1]]), np.array([[0.1, 0.05, 0.0]])
    assert near.project(front)[0, :2] == pytest.approx([100 + SCALE * 0.05 / 0.8, 100.0])
    assert near.project(side) == pytest.approx(view().project(side))
    assert near.scales(np.concatenate([front, side])) == pytest.approx([SCALE / 0.8, SCALE])
    # lines of sight touch a tube of 0.1 m before its sides, where the angle's sine is 0.2
    matte = field(-0.13, 0.13)
    seen = find_outline(
        points, faces, np.ones(len(points), bool), near, matte, TorchRasterizer(), (0.05, 0.06)
    )
    level = np.abs(points[seen.vertices, 1]) < 0.03
    assert level.any()
    assert points[seen.vertices[level], 2] == pytest.approx(0.02, abs=0.017)
    width = 0.1 / np.sqrt(1 - 0.2**2)
    gaps = seen.gaps[level & (points[seen.vertices, 0] > 0)]
    assert gaps == pytest.approx((0.13 - width) * 0.96, abs=0.004)


def test_only_movable_vertices_on_the_rim_are_found() -> None:
    points, faces = tube(rings=21)
    upper = points[:, 1] > 0.0
    seen = outline(points, faces, field(-0.12, 0.12), upper)
    assert upper[seen.vertices].all()
    assert np.abs(points[seen.vertices, 0]).min() > 0.08


def test_a_rim_in_front_of_the_body_is_no_outline() -> None:
    wide, faces = tube(0.12)
    thin, _ = tube(0.04)
    points = np.concatenate([wide, thin + [0, 0, 0.2]])
    both = np.concatenate([faces, faces + len(wide)])
    seen = outline(points, both, field(-0.14, 0.14))
    assert (seen.vertices < len(wide)).all()


def test_a_contour_that_jumps_away_is_left_out() -> None:
    points, faces = tube()
    matte = field(-0.12, 0.12)
    arm = np.zeros((SIZE, SIZE), np.float32)
    arm[:, 40:160] = 1.0
    arm[92:100, :190] = 1.0
    seen = outline(points, faces, MatteField(arm, np.ones((SIZE, SIZE), bool), SIZE))
    assert np.abs(seen.gaps - 0.02).max() < 0.015
    assert len(outline(points, faces, matte).vertices) >= len(seen.vertices)


def test_iou_counts_known_pixels_above_the_bottom_row() -> None:
    points, faces = tube()
    seen, torch_raster = view(), TorchRasterizer()
    assert head_iou(points, faces, 140.0, seen, field(-0.1, 0.1), torch_raster) < 0.75
    rows = np.zeros((SIZE, SIZE), np.float32)
    rows[50:, 50:150] = 1.0
    body = MatteField(rows, np.ones((SIZE, SIZE), bool), SIZE)
    assert head_iou(points, faces, 145.0, seen, body, torch_raster) > 0.97
    assert head_iou(points, faces, 200.0, seen, body, torch_raster) < 0.75
    assert head_iou(points, faces, 0.0, seen, body, torch_raster) == 0.0
