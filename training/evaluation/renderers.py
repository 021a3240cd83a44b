# SPDX-License-Identifier: Apache-2.0
"""What is compared on a clip: the avatar's textured mesh, networks, and the source moved about.

Does not know measures or files.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import torch

from rome_backend.avatar.driven_pose import DrivenPose
from rome_backend.avatar.head_renderer import RenderedHead
from rome_backend.avatar.photo_avatar import PhotoAvatar
from rome_backend.avatar.photo_mend import PhotoMender
from rome_backend.avatar.render import avatar_picture
from rome_backend.core.landmarks_68 import landmarks_68_of
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import F32, F64, U8, Avatar, HeadModel
from rome_backend.render.rasterizer import image_ndc
from rome_backend.tracking.aligned_source import align_source
from training.evaluation.frames import RealFrame
from training.photo_trainee import PhotoTrainee
from training.trainee import RomeTrainee, Trainee

Drawn = tuple[U8, F32]  # rgb (S, S, 3), alpha (S, S) in [0, 1]


class Renderer(Protocol):
    """Draws the person of a clip as in a frame, without seeing the frame's pixels."""

    def draw(self, frame: RealFrame) -> Drawn:
        """Return the picture and its alpha; only pose and landmarks of the frame are used."""
        ...


class TexturedMesh:
    """The avatar's mesh with its texture, in the frame's pose, expression and camera."""

    def __init__(self, avatar: Avatar, head: HeadModel) -> None:
        self._avatar, self._head = avatar, head

    def draw(self, frame: RealFrame) -> Drawn:
        """See Renderer.draw."""
        picture = avatar_picture(
            self._avatar, self._head, frame.camera, frame.fit.params, background=None
        )
        return picture[..., :3], picture[..., 3].astype(np.float32) / np.float32(255)


class Neural:
    """The paper's networks: the source encoded once, its offsets those of the neutral
    head, drawn in the frame's pose, expression and camera.

    Args:
        trainee: the networks on the head model of the fits; source: a frame of the person.
    """

    def __init__(self, trainee: RomeTrainee, source: RealFrame) -> None:
        self._trainee, self._device = trainee, next(trainee.parts["picture"].parameters()).device
        side = 8 * max(1, len(source.rgb) // 8)
        points = np.asarray(landmarks_68_of(source.landmarks), np.float64)
        aligned = align_source(source.rgb, source.matte, points, side, crop=True)
        layers = (
            torch.as_tensor(each, device=self._device)[None]
            for each in (aligned.picture, aligned.matte)
        )
        with torch.no_grad():
            self._texture = trainee.system.encode(*layers)
            self._offsets = self._neutral_offsets(source)

    def _neutral_offsets(self, source: RealFrame) -> F64 | None:
        if not self._trainee.moves:
            return None
        shape = torch.as_tensor(source.fit.params.shape, dtype=torch.float32, device=self._device)
        count = len(self._trainee.head.expression_names)
        nothing = torch.zeros(1, 3, device=self._device)
        pose = DrivenPose(shape[None], torch.zeros(1, count, device=self._device), *[nothing] * 3)
        found = self._trainee.system.canonical_offsets(self._texture, self._trainee.head, pose)
        return np.asarray(found[0].double().cpu().numpy())

    def draw(self, frame: RealFrame) -> Drawn:
        """See Renderer.draw."""
        vertices = posed_vertices(self._trainee.head, frame.fit.params, self._offsets)
        own, places = _placed(vertices, frame, self._device)
        with torch.no_grad():
            return _drawn(
                self._trainee.system.render(self._texture, own, places, *frame.matte.shape)
            )


class Photo:
    """The avatar's photo, carried by its mesh, and its texture where the photo shows nothing.

    Args:
        mender: the network that mends it; the rules alone without one.
    """

    def __init__(self, avatar: Avatar, head: HeadModel, mender: PhotoMender | None = None) -> None:
        self._photo = PhotoAvatar(avatar, head, mender)

    def draw(self, frame: RealFrame) -> Drawn:
        """See Renderer.draw."""
        picture = self._photo.pictures([(frame.camera, frame.fit.params)], None)[0]
        return picture[..., :3], picture[..., 3].astype(np.float32) / np.float32(255)


def _placed(
    vertices: F64, frame: RealFrame, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return vertices (1, V, 3) m and where the frame's camera puts them, image NDC."""
    matrix = torch.as_tensor(frame.camera.world_to_clip)
    places = image_ndc(torch.as_tensor(vertices), matrix).float()[None].to(device)
    return torch.as_tensor(vertices, dtype=torch.float32, device=device)[None], places


def _drawn(rendered: RenderedHead) -> Drawn:
    rgb = (255 * rendered.rgb[0] + 0.5).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return np.asarray(rgb), np.asarray(rendered.soft_mask[0, 0].cpu().numpy())


class WarpedSource:
    """The source frame under the best similarity of the picture: the trivial baseline."""

    def __init__(self, source: RealFrame) -> None:
        self._source = source

    def draw(self, frame: RealFrame) -> Drawn:
        """See Renderer.draw."""
        size = (frame.rgb.shape[1], frame.rgb.shape[0])
        matrix = similarity(self._source.landmarks, frame.landmarks)
        both = [
            cv2.warpAffine(each, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
            for each, border in (
                (self._source.rgb, cv2.BORDER_REPLICATE),
                (self._source.matte, cv2.BORDER_CONSTANT),
            )
        ]
        return np.asarray(both[0], np.uint8), np.asarray(both[1], np.float32)


def similarity(first: F64, second: F64) -> F64:
    """Return the similarity (2, 3) that brings points (L, 2) nearest to others (L, 2).

    Rotation, one scale and shift by least squares (Umeyama 1991, without mirroring).
    """
    middle = first.mean(0), second.mean(0)
    a, b = first - middle[0], second - middle[1]
    scale = (a**2).sum()
    cosine, sine = (a * b).sum() / scale, (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, middle[1] - turn @ middle[0]])


def networks_on(trainee: Trainee, avatar: Avatar, source: RealFrame) -> Renderer:
    """Return what draws by trained networks. Raises TypeError for networks that nobody knows."""
    if isinstance(trainee, PhotoTrainee):
        return Photo(avatar, trainee.head, trainee.mender)
    if isinstance(trainee, RomeTrainee):
        return Neural(trainee, source)
    raise TypeError(f"{type(trainee).__name__} draws no clips")
