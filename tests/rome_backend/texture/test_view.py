# SPDX-License-Identifier: Apache-2.0
"""A view made from a fit: posed mesh, camera and registration in the crop's pixels.

Does not test fitting.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.camera import fit_camera, project
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FaceFit, FlameParams, HeadCrop, HeadModel
from rome_backend.texture.view import TextureView


@pytest.fixture
def fit(small_head: HeadModel) -> FaceFit:
    shape = np.zeros(small_head.shape_dirs.shape[2])
    expression = np.zeros(len(small_head.expression_names))
    params = FlameParams(shape=shape, expression=expression, jaw=np.array([0.1, 0, 0]))
    return FaceFit(params, 900.0, np.eye(3), np.array([128.0, 120.0]), 0, 0, 0, 2.0)


def crop(landmarks: np.ndarray) -> HeadCrop:
    rgb = np.zeros((256, 240, 3), np.uint8)
    full = np.ones((256, 240), bool)
    return HeadCrop(rgb, full.astype(np.float32), full, np.eye(2, 3), landmarks)


def test_the_shift_brings_the_mesh_onto_the_observed_landmarks(
    small_head: HeadModel, fit: FaceFit
) -> None:
    offsets = np.zeros_like(small_head.template)
    vertices = posed_vertices(small_head, fit.params, offsets)
    points = landmark_points(vertices, small_head.faces, small_head.landmarks)
    marks = project(fit_camera(fit, 240, 256), points)[:, :2]
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[small_head.landmarks.indices, :2] = marks + [4.0, -2.0]
    view = TextureView.of(small_head, fit, crop(landmarks), offsets)
    assert (view.camera.width, view.camera.height) == (240, 256)
    assert np.allclose(view.vertices, vertices)
    nose = np.argmax(small_head.template[:, 2])
    assert np.abs(view.landmark_shift[nose] - [4, -2]).max() < 1.0


def test_offsets_move_the_mesh_before_posing(small_head: HeadModel, fit: FaceFit) -> None:
    landmarks = np.zeros((478, 3), np.float32)
    offsets = np.full_like(small_head.template, 0.01)
    plain = TextureView.of(small_head, fit, crop(landmarks), 0 * offsets)
    moved = TextureView.of(small_head, fit, crop(landmarks), offsets)
    gap = np.linalg.norm(moved.vertices - plain.vertices, axis=1)
    assert np.allclose(gap, 0.01 * np.sqrt(3), atol=2e-3)
