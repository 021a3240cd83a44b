# SPDX-License-Identifier: Apache-2.0
"""Single steps of the face fit: descent, priors, symmetry. Does not know whole fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.rotations import yaw_pitch_roll_degrees
from rome_backend.core.types import F64, HeadModel
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks
from rome_backend.tracking.landmark_model import LandmarkModel, landmark_model
from rome_backend.tracking.map_solver import FaceState, MapSolver
from rome_backend.tracking.pose_estimate import HeadPose
from rome_backend.tracking.priors import LIP_PAIRS, FitPrior, facing_weights, turned_share
from rome_backend.tracking.tracker_errors import error_modes, tracker_bias

POSE = HeadPose(2000.0, np.eye(3), np.zeros(3))


@pytest.fixture(scope="module")
def model(small_head: HeadModel) -> LandmarkModel:
    return landmark_model(small_head, mean_face(), mirror_landmarks())


def start(model: LandmarkModel) -> FaceState:
    return FaceState(POSE, np.zeros(10), np.zeros(len(model.active)), 0.0)


def even(model: LandmarkModel, sigma: float = 0.002) -> F64:
    return np.full((len(model.indices), 3), 1 / sigma**2)


def test_the_truth_is_a_fixed_point(model: LandmarkModel) -> None:
    state = start(model)
    view = POSE.to_view(model.points(state.shape, state.expression, 0.0))
    after = MapSolver(model, FitPrior()).step(state, view, even(model), 0.0, True)
    assert after.shape == pytest.approx(0, abs=1e-9)
    assert after.pose.rotation == pytest.approx(np.eye(3), abs=1e-9)
    assert after.jaw == pytest.approx(0, abs=1e-9)


def test_a_step_turns_moves_and_scales_towards_the_truth(model: LandmarkModel) -> None:
    state = start(model)
    truth = POSE.stepped(np.array([0.02, -0.03, 0.04]), 0.05, np.array([0.01, -0.02, 0.0]))
    points = model.points(state.shape, state.expression, 0.0)
    yaw, pitch, _ = yaw_pitch_roll_degrees(truth.rotation)
    view = truth.to_view(points + tracker_bias(yaw, pitch)[model.indices])
    solver = MapSolver(model, FitPrior())
    for _ in range(4):
        state = solver.step(state, view, even(model), 0.0, True)
    assert state.pose.rotation == pytest.approx(truth.rotation, abs=1e-4)
    assert state.pose.scale == pytest.approx(truth.scale, rel=1e-4)
    assert state.pose.translation == pytest.approx(truth.translation, abs=0.05)


def test_steps_find_pose_and_keys_before_a_near_camera(model: LandmarkModel) -> None:
    near = replace(POSE, distance=0.5)
    truth = near.stepped(np.array([0.1, -0.2, 0.1]), 0.05, np.array([0.01, -0.02, 0.0]))
    keys = np.linspace(0, 0.4, len(model.active))
    view = truth.to_view(model.points(np.zeros(10), keys, 0.05))
    solver = MapSolver(model, FitPrior(expression=10.0, jaw=1e3))
    state = replace(start(model), pose=near)
    for _ in range(6):
        state = solver.step(state, view, even(model, 1e-4), 0.0, False)
    assert state.pose.rotation == pytest.approx(truth.rotation, abs=1e-3)
    assert state.pose.scale == pytest.approx(truth.scale, rel=1e-3)
    assert state.pose.distance == 0.5
    points = model.points(np.zeros(10), state.expression, state.jaw)
    assert state.pose.to_view(points)[:, :2] == pytest.approx(view[:, :2], abs=0.1)


def test_identity_is_held_when_asked(model: LandmarkModel) -> None:
    state = replace(start(model), shape=np.linspace(-1, 1, 10))
    view = POSE.to_view(model.points(np.zeros(10), state.expression, 0.0))
    after = MapSolver(model, FitPrior()).step(state, view, even(model), 0.0, False)
    assert np.array_equal(after.shape, state.shape)


def test_shut_lips_stay_shut_where_no_key_takes_the_mouth(model: LandmarkModel) -> None:
    truth = start(model)
    view = POSE.to_view(model.points(truth.shape, truth.expression, 0.0))
    up, low = (model.rows(row) for row in zip(*LIP_PAIRS, strict=True))
    view[low] = view[up]
    view[np.concatenate([up, low]), 1] -= 0.008 * POSE.scale  # lower than a closed mouth can be
    gaps = []
    for firmness in (1.0, 10.0):
        state, solver = truth, MapSolver(model, FitPrior(firmness=firmness))
        weights = even(model, 0.0005)
        for _ in range(4):
            state = solver.step(state, view, weights, 0.0, False)
        points = model.points(state.shape, state.expression, state.jaw)
        gaps.append(float(np.abs(points[up, 1] - points[low, 1]).mean()))
    assert gaps[1] < 0.5 * gaps[0]
    assert gaps[1] < 0.0005


def test_open_lips_are_not_held_shut(model: LandmarkModel) -> None:
    wide = replace(start(model), jaw=0.3)
    view = POSE.to_view(model.points(wide.shape, wide.expression, wide.jaw))
    found = []
    for firmness in (1.0, 10.0):
        state, solver = start(model), MapSolver(model, FitPrior(firmness=firmness))
        for _ in range(4):
            state = solver.step(state, view, even(model), 0.0, False)
        found.append(state.jaw)
    assert found[0] == pytest.approx(0.3, abs=0.05)
    assert found[1] == pytest.approx(found[0], abs=0.01)


def test_landmarks_without_weight_do_not_pull(model: LandmarkModel) -> None:
    state = start(model)
    view = POSE.to_view(model.points(state.shape, state.expression, 0.0))
    view[:100] += 500.0
    weights = even(model)
    weights[:100] = 0.0
    # the lid and lip openings trust their less visible landmark
    after = MapSolver(model, FitPrior()).step(state, view, weights, 0.0, True)
    assert after.shape == pytest.approx(0, abs=1e-9)
    assert after.expression == pytest.approx(0, abs=1e-9)


def test_a_turned_head_smiles_on_both_sides(model: LandmarkModel, small_head: HeadModel) -> None:
    names = [small_head.expression_names[k] for k in model.active]
    left, right = names.index("mouthSmileLeft"), names.index("mouthSmileRight")
    keys = np.zeros(len(names))
    keys[left] = keys[right] = 0.8
    view = POSE.to_view(model.points(np.zeros(10), keys, 0.0))
    weights = even(model)
    weights[model.points(np.zeros(10), keys, 0.0)[:, 0] < 0] *= 1e-4
    solver = MapSolver(model, FitPrior())
    found = {}
    for yaw in (0.0, 45.0):
        state = start(model)
        for _ in range(4):
            state = solver.step(state, view, weights, yaw, False)
        found[yaw] = state.expression
    assert found[45.0][left] > 0.6
    assert found[45.0][right] > found[0.0][right] + 0.2


def test_trust_falls_with_facing_and_yaw() -> None:
    normals = np.array([[0, 0, 1.0], [1.0, 0, 0], [0, 0, -1.0]])
    assert facing_weights(normals, np.eye(3)).tolist() == pytest.approx([1.0, 0.2, 0.03])
    prior = FitPrior()
    shares = [turned_share(yaw, prior) for yaw in (0, 10, -22.5, 35, 80)]
    assert shares == pytest.approx([0, 0, 0.5, 1, 1])


def test_what_a_photo_tells_makes_the_shape_surer(model: LandmarkModel) -> None:
    state = start(model)
    view = POSE.to_view(model.points(state.shape, state.expression, 0.0))
    solver = MapSolver(model, FitPrior())
    prior = solver.prior_precision(0.0)
    vague = solver.shape_precision(state, view, even(model, 0.05), 0.0)
    sharp = solver.shape_precision(state, view, even(model, 0.001), 0.0)
    assert np.linalg.eigvalsh(vague - prior).min() > -1e-6
    assert np.linalg.eigvalsh(sharp - vague).min() > -1e-6
    assert np.trace(sharp - prior) > 5 * np.trace(vague - prior)


def test_the_tracker_s_own_errors_are_not_taken_for_identity(model: LandmarkModel) -> None:
    state = start(model)
    points = model.points(state.shape, state.expression, 0.0)
    view = POSE.to_view(points + error_modes()[model.indices] @ (2 * np.eye(24)[0]))
    solver = MapSolver(model, FitPrior())
    for _ in range(3):
        state = solver.step(state, view, even(model), 0.0, True)
    assert state.error[0] > 1.0
    assert np.linalg.norm(state.shape) < np.linalg.norm(state.error)
