# SPDX-License-Identifier: Apache-2.0
"""The head model at its landmarks agrees with the whole head. Does not know photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.open_head.mean_face import mean_face, mirror_landmarks
from rome_backend.tracking.landmark_model import LandmarkModel, landmark_model


@pytest.fixture(scope="module")
def model(small_head: HeadModel) -> LandmarkModel:
    return landmark_model(small_head, mean_face(), mirror_landmarks())


def test_points_are_those_of_the_posed_mesh(small_head: HeadModel, model: LandmarkModel) -> None:
    rng = np.random.default_rng(2)
    shape, keys = rng.normal(size=10), rng.uniform(0, 1, len(model.active))
    full = np.zeros(len(small_head.expression_names))
    full[model.active] = keys
    params = FlameParams(shape=shape, expression=full, jaw=np.array([0.3, 0.0, 0.0]))
    posed = posed_vertices(small_head, params)
    expected = landmark_points(posed, small_head.faces, small_head.landmarks)[:468]
    assert model.points(shape, keys, 0.3, biased=False) == pytest.approx(expected, abs=1e-7)


def test_irises_and_held_keys_are_left_out(small_head: HeadModel, model: LandmarkModel) -> None:
    assert len(model.indices) == 468
    names = [small_head.expression_names[k] for k in model.active]
    assert names[0] == "mouthSmileLeft"
    assert not {"jawOpen", "eyeLookUpLeft"} & set(names)
    twins = [names[k] for k in model.pairs]
    assert twins[:3] == ["mouthSmileRight", "mouthSmileLeft", "browInnerUp"]


def test_the_bias_vanishes_for_the_mean_face_and_else_restores_it(
    small_head: HeadModel, model: LandmarkModel
) -> None:
    assert np.abs(model.bias).max() < 1e-6
    moved = small_head.template + 0.002 * np.sin(80 * small_head.template)
    other = landmark_model(
        replace(small_head, template=moved.astype(np.float32)), mean_face(), mirror_landmarks()
    )
    points = other.points(np.zeros(10), np.zeros(len(other.active)), 0.0)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    mean = mean_face()[:468]
    expected = np.linalg.norm(mean[:, None] - mean[None], axis=2)
    ratio = gaps[expected > 0.01] / expected[expected > 0.01]
    assert ratio == pytest.approx(ratio.mean(), abs=1e-6)


def test_the_jaw_column_is_the_derivative(model: LandmarkModel) -> None:
    shape, keys = np.zeros(10), np.zeros(len(model.active))
    column = model.jaw_column(shape, keys, 0.1)
    step = model.points(shape, keys, 0.11) - model.points(shape, keys, 0.1)
    assert column * 0.01 == pytest.approx(step, abs=5e-6)
    chin = int(np.flatnonzero(model.indices == 152)[0])
    assert column[chin, 1] < 0
    assert not model.jaw_column(shape, keys, 0.1)[model.rows([10])].any()


def test_rows_skip_landmarks_the_head_does_not_have(model: LandmarkModel) -> None:
    assert model.rows([10, 470, 152]).tolist() == [10, 152]


def test_normals_face_out_of_the_face(model: LandmarkModel) -> None:
    assert np.linalg.norm(model.normals, axis=1) == pytest.approx(1.0)
    assert model.normals[4, 2] > 0.5
    assert model.normals[234, 0] < -0.3 and model.normals[454, 0] > 0.3
