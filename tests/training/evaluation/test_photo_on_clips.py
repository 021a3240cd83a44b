# SPDX-License-Identifier: Apache-2.0
"""Pictures that start from the photo, on frames of clips, and which networks draw how."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from rome_backend.core.camera import project, weak_perspective
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.rotations import matrix_from_yaw_pitch_roll
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import Avatar, FaceFit, FlameParams, HeadModel
from training.config import ModelSizes, TrainConfig
from training.evaluation.frames import RealFrame
from training.evaluation.renderers import Neural, Photo, TexturedMesh, networks_on
from training.make_trainee import make_trainee
from training.photo_trainee import PhotoTrainee

SIDE = 64


@pytest.fixture
def avatar(small_head: HeadModel) -> Avatar:
    """The small head with a smooth texture."""
    random = np.random.default_rng(2)
    colours = random.integers(60, 200, (6, 6, 3), dtype=np.uint8)
    count = len(small_head.template)
    camera = weak_perspective(200.0, np.eye(3), (32.0, 32.0), SIDE, SIDE)
    params = FlameParams(random.normal(size=6), np.zeros(5))
    points = landmark_points(
        posed_vertices(small_head, params), small_head.faces, small_head.landmarks
    )
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[small_head.landmarks.indices, :2] = project(camera, points)[:, :2]
    return Avatar(
        name="small",
        head_model=small_head.name,
        topology_id=small_head.topology_id,
        params=params,
        offset_coefficients=np.zeros(60, np.float32),
        free_offsets=np.zeros((count, 3), np.float32),
        offsets=np.zeros((count, 3), np.float32),
        albedo=cv2.resize(colours, (64, 64), interpolation=cv2.INTER_CUBIC),
        confidence=np.full((64, 64), 255, np.uint8),
        source_crop=cv2.resize(colours, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC),
        source_matte=np.full((SIDE, SIDE), 255, np.uint8),
        source_landmarks=landmarks,
        camera=camera,
        warnings=(),
        licences={},
        provenance={},
    )


def frame(yaw: float = 0.0, expression: float = 0.0) -> RealFrame:
    rotation = matrix_from_yaw_pitch_roll(yaw, 0.0, 0.0)
    params = FlameParams(np.zeros(6), np.full(5, expression))
    fit = FaceFit(params, 250.0, rotation, np.array([32.0, 32.0]), yaw, 0.0, 0.0, 1.0)
    camera = weak_perspective(250.0, rotation, (32.0, 32.0), SIDE, SIDE)
    turn = np.linspace(0, 2 * np.pi, 478, endpoint=False)
    landmarks = SIDE * (0.5 + 0.25 * np.stack([np.cos(turn), np.sin(turn)], -1))
    flat = np.full((SIDE, SIDE, 3), 90, np.uint8)
    ones = np.ones((SIDE, SIDE), np.float32)
    return RealFrame(0, flat, ones, ones, landmarks, camera, fit)


@pytest.fixture
def trainee(small_head: HeadModel) -> PhotoTrainee:
    sizes = ModelSizes(side=64, start="photo", light_base=4, light_levels=2)
    made = make_trainee(sizes, small_head, seed=1)
    assert isinstance(made, PhotoTrainee)
    return made


def test_seen_from_behind_it_is_the_textured_mesh(
    trainee: PhotoTrainee, avatar: Avatar, small_head: HeadModel
) -> None:
    """The photo showed nothing of it: the worst case."""
    wanted, cover = TexturedMesh(avatar, small_head).draw(frame(180.0))
    found, alpha = Photo(avatar, small_head, trainee.mender).draw(frame(180.0))
    inside = cv2.erode((cover > 0.99).astype(np.uint8), np.ones((5, 5))) > 0
    assert inside.mean() > 0.2
    apart = np.abs(found.astype(int) - wanted)[inside]
    assert apart.mean() < 4 and alpha[inside].min() > 0.98
    assert np.abs(alpha - cover).mean() < 0.03


def test_the_frame_s_pose_and_expression_are_taken(avatar: Avatar, small_head: HeadModel) -> None:
    photo = Photo(avatar, small_head)
    still, turned, smiling = (photo.draw(each) for each in (frame(), frame(30), frame(0, 1.0)))
    for other in (turned, smiling):
        assert np.abs(other[0].astype(int) - still[0]).max() > 10


def test_trained_networks_change_the_picture(
    trainee: PhotoTrainee, avatar: Avatar, small_head: HeadModel
) -> None:
    before, _ = Photo(avatar, small_head, trainee.mender).draw(frame())
    with torch.no_grad():
        trainee.parts["mender"].outputs.bias[2] += 0.5
    after, alpha = Photo(avatar, small_head, trainee.mender).draw(frame())
    inside = alpha > 0.9
    assert inside.any() and (after[inside][:, 0] >= before[inside][:, 0]).all()
    assert after[inside][:, 0].mean() > before[inside][:, 0].mean() + 5
    assert np.array_equal(after[inside][:, 1:], before[inside][:, 1:])


def test_each_kind_of_networks_has_its_renderer(
    trainee: PhotoTrainee, avatar: Avatar, small_head: HeadModel, tiny_config: TrainConfig
) -> None:
    rome = make_trainee(tiny_config.sizes, small_head)
    assert isinstance(networks_on(trainee, avatar, frame()), Photo)
    assert isinstance(networks_on(rome, avatar, frame()), Neural)
    with pytest.raises(TypeError, match="draws no clips"):
        networks_on(object(), avatar, frame())  # type: ignore[arg-type]
