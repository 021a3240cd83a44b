# SPDX-License-Identifier: Apache-2.0
"""Posing for the networks: what is taken from whom, the canonical frame, the projection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.driven_pose import (
    DrivenPose,
    canonical_head,
    driven_pose,
    project_head,
    regress_face,
)
from rome_backend.core.camera import project_weak_perspective
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.models.face_regressor import FaceCode, split_face_code
from rome_backend.tracking.alignment import crop_box, face_crop, uncropped_camera


def code(seed: int) -> FaceCode:
    generator = torch.manual_seed(seed)
    return split_face_code(torch.randn(1, 236, generator=generator) * 0.3)


@pytest.fixture
def pose() -> DrivenPose:
    return driven_pose(code(0), code(1))


def test_the_shape_is_the_source_s_and_the_rest_the_driver_s(pose: DrivenPose) -> None:
    source, driver = code(0), code(1)
    assert torch.equal(pose.shape, source.shape)
    assert torch.equal(pose.expression, driver.expression)
    assert torch.equal(torch.cat([pose.rotation, pose.jaw], 1), driver.pose)
    assert torch.equal(pose.camera, driver.camera)


def test_a_neutral_pose_keeps_rotation_and_camera(pose: DrivenPose) -> None:
    neutral = pose.neutral()
    assert neutral.expression.eq(0).all() and neutral.jaw.eq(0).all()
    assert torch.equal(neutral.rotation, pose.rotation)
    assert torch.equal(neutral.camera, pose.camera) and torch.equal(neutral.shape, pose.shape)


def test_the_canonical_head_is_the_core_s_chain_with_the_jaw_alone(
    small_head: HeadModel, pose: DrivenPose
) -> None:
    params = FlameParams(
        pose.shape[0, :6].double().numpy(),
        pose.expression[0, :5].double().numpy(),
        jaw=pose.jaw[0].double().numpy(),
    )
    expected = posed_vertices(small_head, params, joints_from="expressed")
    found = canonical_head(small_head, pose)
    assert np.abs(found.vertices[0].numpy() - expected).max() < 1e-6
    turned = replace(pose, rotation=pose.rotation + 1)
    assert torch.equal(canonical_head(small_head, turned).vertices, found.vertices)


def test_turning_afterwards_is_turning_the_root(small_head: HeadModel, pose: DrivenPose) -> None:
    """rome-spec 2.5: final positions equal the head model posed with its global rotation."""
    params = FlameParams(
        pose.shape[0, :6].double().numpy(),
        pose.expression[0, :5].double().numpy(),
        rotation=pose.rotation[0].double().numpy(),
        jaw=pose.jaw[0].double().numpy(),
    )
    posed = posed_vertices(small_head, params, joints_from="expressed")
    expected = project_weak_perspective(posed, pose.camera[0].double().numpy())
    head = canonical_head(small_head, pose)
    found = project_head(head.vertices, head.root, pose)[0].numpy()
    assert np.abs(found - expected).max() < 1e-6


def test_gradients_reach_every_parameter(small_head: HeadModel, pose: DrivenPose) -> None:
    names = ("shape", "expression", "jaw", "rotation", "camera")
    leaves = {name: getattr(pose, name).clone().requires_grad_() for name in names}
    wanted = replace(pose, **leaves)
    head = canonical_head(small_head, wanted)
    project_head(head.vertices, head.root, wanted).square().sum().backward()
    for name, leaf in leaves.items():
        assert leaf.grad is not None and leaf.grad.abs().max() > 0, name


def test_a_face_is_regressed_from_its_crop_and_its_camera_uncropped() -> None:
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 1, (3, 40, 40)).astype(np.float32)
    landmarks = rng.uniform(-0.5, 0.4, (68, 2))
    seen = []

    class Spy(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, crop: torch.Tensor) -> torch.Tensor:
            seen.append(crop)
            return torch.arange(1.0, 237.0)[None] / 100

    found = regress_face(Spy(), picture, landmarks)  # type: ignore[arg-type]
    box = crop_box(landmarks)
    assert np.array_equal(seen[0][0].numpy(), face_crop(picture, box))
    assert torch.equal(
        found.expression, split_face_code(torch.arange(1.0, 237)[None]).expression / 100
    )
    camera = uncropped_camera(np.array([2.07, 2.08, 2.09]), box)
    assert np.abs(found.camera[0].numpy() - camera).max() < 1e-5
