# SPDX-License-Identifier: Apache-2.0
"""Tests of core/camera.py: each camera against its own formula, crops, and parity.

Does not know how a picture is made.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.core.camera import (
    crop_camera,
    fit_camera,
    orbit,
    perspective,
    project,
    project_weak_perspective,
    weak_perspective,
)
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll, rotation_matrices
from rome_backend.core.types import Camera, FaceFit, FlameParams

POINTS = np.random.default_rng(0).uniform(-0.15, 0.15, (40, 3))
TURN = matrix_from_yaw_pitch_roll(20, -10, 5)


def _weak() -> Camera:
    return weak_perspective(1500.0, TURN, (310.0, 250.0), 640, 480)


def _pinhole() -> Camera:
    return perspective(900.0, TURN, (0.02, -0.01, -0.8), 640, 480, centre=(300.0, 260.0))


def test_weak_perspective_is_its_formula() -> None:
    found = project(_weak(), POINTS)
    view = POINTS @ TURN.T
    assert np.allclose(found[:, 0], 1500 * view[:, 0] + 310, atol=1e-9)
    assert np.allclose(found[:, 1], -1500 * view[:, 1] + 250, atol=1e-9)
    assert np.allclose(found[:, 2], -view[:, 2], atol=1e-12), "nearer is smaller, +-1 m is +-1"


def test_depth_stretches_the_clip_volume_only() -> None:
    deep = project(weak_perspective(1500.0, TURN, (310.0, 250.0), 640, 480, depth=4.0), POINTS)
    assert np.allclose(deep * [1, 1, 4], project(_weak(), POINTS), atol=1e-9)


def test_perspective_is_a_pinhole() -> None:
    found = project(_pinhole(), POINTS)
    view = POINTS @ TURN.T + [0.02, -0.01, -0.8]
    assert np.allclose(found[:, 0], 900 * view[:, 0] / -view[:, 2] + 300, atol=1e-9)
    assert np.allclose(found[:, 1], -900 * view[:, 1] / -view[:, 2] + 260, atol=1e-9)
    order = np.argsort(-view[:, 2])
    assert (np.diff(found[order, 2]) > 0).all(), "nearer is smaller"


def test_perspective_clips_at_near_and_far() -> None:
    camera = perspective(500.0, np.eye(3), np.zeros(3), 100, 100, near=0.5, far=3.0)
    assert np.allclose(project(camera, [[0, 0, -0.5], [0, 0, -3.0]])[:, 2], [-1, 1])


def test_points_behind_a_pinhole_have_no_picture() -> None:
    camera = perspective(500.0, np.eye(3), np.zeros(3), 100, 100)
    found = project(camera, [[0, 0, 1.0], [0, 0, 0], [0, 0, -1.0]])
    assert np.isnan(found[:2]).all() and np.isfinite(found[2]).all()


def test_orbit_front_looks_at_the_face() -> None:
    camera = orbit((0.0, 0.02, 0.0), 1.0, 0.0, 0.0, 0.4, 200, 400)
    left, up, nose, target = [0.1, 0.02, 0], [0, 0.12, 0], [0, 0.02, 0.1], [0, 0.02, 0]
    found = project(camera, [left, up, nose, target])
    assert np.allclose(found[3], [100, 200, 0], atol=1e-9)
    assert np.allclose(found[0], [200, 200, 0], atol=1e-9), "the subject's left is on the right"
    assert np.allclose(found[1], [100, 100, 0], atol=1e-9)
    assert found[2, 2] == pytest.approx(-0.1), "the nose is nearer"


def test_orbit_sides_and_above() -> None:
    ears = [[0.08, 0, 0], [-0.08, 0, 0]]
    left = project(orbit(np.zeros(3), 1.0, 90, 0, 0.4, 100, 100), ears)
    assert left[0, 2] < left[1, 2], "positive yaw shows the subject's left side"
    crown = project(orbit(np.zeros(3), 1.0, 0, 60, 0.4, 100, 100), [[0, 0.1, 0], [0, -0.1, 0]])
    assert crown[0, 2] < crown[1, 2], "positive pitch looks from above"
    assert crown[0, 1] < crown[1, 1], "up stays up"
    back = project(orbit(np.zeros(3), 1.0, 180, 0, 0.4, 100, 100), ears)
    assert back[0, 0] < back[1, 0]


def test_orbit_yaw_is_the_opposite_head_yaw() -> None:
    orbited = project(orbit(np.zeros(3), 1.0, 35, 0, 0.4, 100, 100), POINTS)
    turned = weak_perspective(250, matrix_from_yaw_pitch_roll(-35, 0, 0), (50, 50), 100, 100)
    assert np.allclose(orbited, project(turned, POINTS), atol=1e-9)


def test_orbit_keeps_its_sphere_inside_the_clip_volume() -> None:
    target = np.array([0.1, -0.2, 0.3])
    camera = orbit(target, 0.6, 40, 20, 0.4, 100, 100)
    directions = POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)
    assert np.abs(project(camera, target + 0.6 * directions)[:, 2]).max() <= 1 + 1e-12


@pytest.mark.parametrize("camera", [_weak(), _pinhole()], ids=["weak", "pinhole"])
def test_crop_camera_moves_pixels_and_keeps_depth(camera: Camera) -> None:
    affine = np.array([[0.4, -0.1, 30.0], [0.1, 0.4, -20.0]])
    whole, cut = project(camera, POINTS), project(crop_camera(camera, affine, 256, 128), POINTS)
    assert np.allclose(cut[:, :2], whole[:, :2] @ affine[:, :2].T + affine[:, 2], atol=1e-8)
    assert np.array_equal(cut[:, 2], whole[:, 2])
    assert crop_camera(camera, affine, 256, 128).width == 256


def test_crop_camera_does_not_change_its_argument() -> None:
    camera = _weak()
    before = camera.world_to_clip.copy()
    crop_camera(camera, np.eye(3)[:2], 10, 10)
    assert np.array_equal(camera.world_to_clip, before)


def test_fit_camera_is_the_fit_s_formula() -> None:
    params = FlameParams(np.zeros(1), np.zeros(1))
    fit = FaceFit(params, 1500.0, TURN, np.array([310.0, 250.0]), 20.0, -10.0, 5.0, 2.0)
    assert np.array_equal(fit_camera(fit, 640, 480).world_to_clip, _weak().world_to_clip)


@pytest.mark.parametrize("distance", [0.4, 1.2, 5.0])
def test_a_fit_s_distance_makes_a_pinhole(distance: float) -> None:
    params, shift = FlameParams(np.zeros(1), np.zeros(1)), np.array([310.0, 250.0])
    fit = FaceFit(params, 1500.0, TURN, shift, 20.0, -10.0, 5.0, 2.0, distance)
    seen = project(fit_camera(fit, 640, 480), POINTS)
    view = POINTS @ TURN.T
    near = 1 / (1 - view[:, 2:] / distance)
    assert np.allclose(seen[:, :2], shift + 1500.0 * near * view[:, :2] * [1, -1])
    order = np.argsort(-view[:, 2])
    assert (np.diff(seen[order, 2]) > 0).all() and np.abs(seen[:, 2]).max() < 1


def test_a_far_pinhole_is_weak_perspective() -> None:
    params = FlameParams(np.zeros(1), np.zeros(1))
    fit = FaceFit(params, 1500.0, TURN, np.array([310.0, 250.0]), 20.0, -10.0, 5.0, 2.0, 1e6)
    seen = project(fit_camera(fit, 640, 480), POINTS)[:, :2]
    assert np.allclose(seen, project(_weak(), POINTS)[:, :2], atol=1e-3)


@pytest.mark.parametrize("xp", [np, torch], ids=["numpy", "torch"])
def test_parity_projection(parity_dir: Path, xp: object) -> None:
    fixture = np.load(parity_dir / "projection.npz")
    as_given = torch.tensor if xp is torch else np.asarray
    vertices, cam = as_given(fixture["vertices"]), as_given(fixture["cam"])
    rotation = rotation_matrices(as_given(fixture["axis_angle"]), xp)
    root = as_given(fixture["root_joint"])
    turned = np.asarray(project_weak_perspective(vertices, cam, rotation, root, xp))
    plain = np.asarray(project_weak_perspective(vertices, cam, xp=xp))
    assert np.abs(turned - fixture["projected"]).max() < 2e-6
    assert np.abs(plain - fixture["projected_no_rotation"]).max() < 2e-6
    assert np.abs(turned[:, :68, :2] - fixture["landmarks2d"]).max() < 2e-6
