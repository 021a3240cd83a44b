# SPDX-License-Identifier: Apache-2.0
"""From two face codes to a posed head: the source's shape, the driver's expression and pose.

Does not know offsets, textures or rendering.

Source: rome-spec sections 2.3 to 2.5 and 2.7. The networks work in the head's own frame: only the
jaw is turned before offsets and normals; the head's rotation and the camera come afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from rome_backend.core.camera import project_weak_perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import regress_joints, shape_vertices, skin
from rome_backend.core.types import F32, HeadModel
from rome_backend.models.face_regressor import FaceCode, FaceRegressor, split_face_code
from rome_backend.tracking.alignment import crop_box, face_crop, uncropped_camera

_JAW = 2


@dataclass(frozen=True)
class DrivenPose:
    """What moves a head, N of them.

    shape (N, S), expression (N, E); jaw (N, 3), rotation (N, 3): axis-angle rad;
    camera (N, 3): s, tx, ty in the whole picture's NDC.
    """

    shape: torch.Tensor
    expression: torch.Tensor
    jaw: torch.Tensor
    rotation: torch.Tensor
    camera: torch.Tensor

    def neutral(self) -> DrivenPose:
        """Return it without expression and with a closed jaw; rotation and camera stay."""
        zeros = torch.zeros_like
        return replace(self, expression=zeros(self.expression), jaw=zeros(self.jaw))


@dataclass(frozen=True)
class CanonicalHead:
    """A head in its own frame: vertices (N, V, 3) m, root (N, 3) m, what it turns about."""

    vertices: torch.Tensor
    root: torch.Tensor


def regress_face(regressor: FaceRegressor, picture: F32, landmarks: Any) -> FaceCode:
    """Return the code (N = 1) of a face; its camera is that of the whole picture.

    picture (3, H, W) f32 RGB in [0, 1]; landmarks (68, 2) NDC. The work is done where the
    regressor is.
    """
    box = crop_box(landmarks)
    weight = next(regressor.parameters())
    crop = torch.as_tensor(face_crop(picture, box))[None].to(weight)
    code = split_face_code(regressor(crop))
    camera = uncropped_camera(code.camera[0].detach().cpu().numpy(), box)
    return replace(code, camera=torch.as_tensor(camera)[None].to(weight))


def driven_pose(source: FaceCode, driver: FaceCode) -> DrivenPose:
    """Mix two codes: shape of the source; expression, pose and camera of the driver."""
    return DrivenPose(
        source.shape, driver.expression, driver.pose[:, 3:], driver.pose[:, :3], driver.camera
    )


def canonical_head(head: HeadModel, pose: DrivenPose) -> CanonicalHead:
    """Return the head's vertices with expression and jaw, without rotation, neck and eyes.

    Joints are regressed from the expressed shape, as the released networks saw them. A head with
    fewer coefficients than the pose takes the first ones; the code has 100 and 50.
    """
    shape = pose.shape[..., : head.shape_dirs.shape[-1]]
    expression = pose.expression[..., : head.expression_dirs.shape[-1]]
    expressed = shape_vertices(head, shape, expression, torch)
    joints = regress_joints(head, expressed, torch)
    turns = torch.zeros_like(joints)
    turns = torch.cat([turns[:, :_JAW], pose.jaw[:, None], turns[:, _JAW + 1 :]], dim=1)
    vertices = skin(expressed, joints, rotation_matrices(turns, torch), head, torch)
    return CanonicalHead(vertices, joints[:, 0])


def project_head(vertices: torch.Tensor, root: torch.Tensor, pose: DrivenPose) -> torch.Tensor:
    """Return image NDC (N, V, 3) of canonical vertices (N, V, 3): turned about the root (N, 3)."""
    rotation = rotation_matrices(pose.rotation, torch)
    return project_weak_perspective(vertices, pose.camera, rotation, root, torch)
