# SPDX-License-Identifier: Apache-2.0
"""What the released networks make of a photo: a neural texture, offsets, DECA's face fit.

Does not know files or how photos were tracked and cropped.

Source: rome-spec sections 0 and 2.1 to 2.7. The 68 landmarks are MediaPipe's, by landmarks_68.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from rome_backend.avatar.driven_pose import DrivenPose, regress_face
from rome_backend.avatar.feed_forward import FeedForward
from rome_backend.avatar.installed_networks import InstalledNetworks, LinearModel
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.landmarks import landmark_points, reprojection_percent_iod
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.rotations import rotation_matrices, yaw_pitch_roll_degrees
from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import F32, F64, FaceFit, FlameParams, HeadCrop, HeadModel
from rome_backend.models.face_regressor import FaceCode, FaceRegressor
from rome_backend.models.linear_offsets import linear_offsets
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.tracking.aligned_source import AlignedSource, align_source
from rome_backend.tracking.alignment import ALIGNED_SIDE
from rome_backend.tracking.matte_field import MatteField
from rome_backend.tracking.outline import SquareView, head_iou

_IOU_SIDE = 512


@dataclass(frozen=True)
class NeuralSource:
    """neural_texture (8, T, T) f32 or None; offsets (V, 3) f64 m of the neutral head."""

    neural_texture: F32 | None
    offsets: F64


def aligned_crop(crop: HeadCrop, side: int) -> AlignedSource:
    """Return the crop aligned for the networks, side px; its own square round the face."""
    points = landmarks_68_of(crop.landmarks)[:, :2]
    return align_source(crop.rgb, crop.matte, points, side, crop=True)


@torch.no_grad()
def neural_source(
    networks: InstalledNetworks, head: HeadModel, fit: FaceFit, crop: HeadCrop, side: int
) -> NeuralSource:
    """Return what the chosen networks make of a fitted photo.

    side: of the neural texture in px; the linear model has none.
    Raises ValueError where neither system was loaded.
    """
    if networks.feed_forward is not None:
        return _official(networks.feed_forward, networks.device, head, fit, crop, side)
    if networks.linear is None:
        raise ValueError("no networks were loaded")
    return NeuralSource(None, _linear(networks.linear, networks.device, crop))


def _official(
    system: FeedForward,
    device: torch.device,
    head: HeadModel,
    fit: FaceFit,
    crop: HeadCrop,
    side: int,
) -> NeuralSource:
    aligned = aligned_crop(crop, side)
    picture = torch.as_tensor(aligned.picture, device=device)[None]
    matte = torch.as_tensor(aligned.matte, device=device)[None]
    texture = system.encode(picture, matte)
    pose = _neutral_pose(fit, device)
    offsets = system.canonical_offsets(texture, head, pose)[0].double().cpu().numpy()
    return NeuralSource(texture[0].float().cpu().numpy(), offsets)


def _neutral_pose(fit: FaceFit, device: torch.device) -> DrivenPose:
    """Return the fit's identity; expression, jaw, rotation and camera do not matter for it."""
    shape = torch.as_tensor(fit.params.shape, dtype=torch.float32, device=device)[None]
    expression = torch.zeros(1, len(fit.params.expression), device=device)
    nothing = torch.zeros(1, 3, device=device)
    return DrivenPose(shape, expression, nothing, nothing, nothing)


def _linear(model: LinearModel, device: torch.device, crop: HeadCrop) -> F64:
    picture = torch.as_tensor(aligned_crop(crop, ALIGNED_SIDE).picture, device=device)[None]
    coefficients = model.network(picture)
    return linear_offsets(coefficients, model.basis, model.mean)[0].double().cpu().numpy()


def deca_fits(
    regressor: FaceRegressor, head: HeadModel, crops: Sequence[HeadCrop]
) -> list[FaceFit]:
    """Return DECA's fit of each photo of one person: the most frontal one's identity for all."""
    fits = [deca_fit(regressor, head, crop) for crop in crops]
    shape = min(fits, key=lambda fit: abs(fit.yaw)).params.shape
    return [replace(fit, params=replace(fit.params, shape=shape)) for fit in fits]


@torch.no_grad()
def deca_fit(regressor: FaceRegressor, head: HeadModel, crop: HeadCrop) -> FaceFit:
    """Return DECA's idea of a face as a fit to the crop (its px).

    Raises ValueError for a head without FLAME's components, PhotoRefused (`deca_no_face`) for a
    camera that sees nothing.
    """
    side = crop.rgb.shape[0]
    picture = np.ascontiguousarray(crop.rgb.transpose(2, 0, 1), np.float32) / np.float32(255)
    points = 2 * landmarks_68_of(crop.landmarks)[:, :2] / side - 1
    return code_fit(regress_face(regressor, picture, points), head, crop)


def code_fit(code: FaceCode, head: HeadModel, crop: HeadCrop) -> FaceFit:
    """Return a face code (N = 1, its camera of the whole crop) as a fit in px of the crop.

    The code turns the head about its root joint before shifting it; a fit turns it about the
    origin (rome-spec section 2.7).
    """
    if (head.shape_dirs.shape[2], head.expression_dirs.shape[2]) != (100, 50):
        raise ValueError("DECA's codes are for FLAME with 100 and 50 components")
    half = crop.rgb.shape[0] / 2
    pose = code.pose[0].double().cpu().numpy()
    scale, x, y = code.camera[0].double().cpu().numpy()
    if not scale > 0:
        raise PhotoRefused(
            "deca_no_face", "DECA's regressor makes no sense of the face in this photo.",
            "Use --tracker open, or another photo.",
        )  # fmt: skip
    params = FlameParams(
        shape=code.shape[0].double().cpu().numpy(),
        expression=code.expression[0].double().cpu().numpy(),
        jaw=pose[3:],
    )
    rotation = np.asarray(rotation_matrices(pose[:3]))
    root = regress_joints(head, shape_vertices(head, params.shape, params.expression))[0]
    shift = root - rotation @ root + np.array([x, y, 0.0])
    translation = half * np.array([scale * shift[0] + 1, 1 - scale * shift[1]])
    yaw, pitch, roll = yaw_pitch_roll_degrees(rotation)
    fit = FaceFit(params, half * scale, rotation, translation, yaw, pitch, roll, 0.0)
    return replace(fit, residual=_residual(head, fit, crop))


def _residual(head: HeadModel, fit: FaceFit, crop: HeadCrop) -> float:
    """Return the mean distance of the head's landmarks in percent of the eye distance."""
    vertices = posed_vertices(head, fit.params)
    height, width = crop.rgb.shape[:2]
    points = landmark_points(vertices, head.faces, head.landmarks)
    places = project(fit_camera(fit, width, height), points)[:, :2]
    chosen = tuple(int(index) for index in head.landmarks.indices)
    return reprojection_percent_iod(places, crop.landmarks, chosen)


def offsets_iou(head: HeadModel, fit: FaceFit, crop: HeadCrop, offsets: F64) -> float:
    """Return intersection over union of the head with offsets (V, 3) and the crop's matte."""
    size = min(_IOU_SIDE, crop.matte.shape[0])
    view = SquareView(fit, crop.matte.shape[0], size)
    field = MatteField(crop.matte, crop.valid, size)
    vertices = posed_vertices(head, fit.params, offsets)
    return head_iou(vertices, head.faces, float(size), view, field, TorchRasterizer())
