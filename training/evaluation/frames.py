# SPDX-License-Identifier: Apache-2.0
"""Frames of a clip to compare pictures with: cropped round the head, tracked, with their mask.

Does not know avatars or renderers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from rome_backend.avatar.create import Tools
from rome_backend.core.camera import crop_camera, fit_camera
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import F32, F64, U8, Camera, FaceFit, Photo, TrackedFace
from rome_backend.tracking.checks import judge_fit
from rome_backend.tracking.clip import open_clip
from rome_backend.tracking.crop import head_crop
from rome_backend.tracking.video import ClipTracker

_FOREHEAD, _CHIN = 10, 152  # MediaPipe
_STRAIGHT_DEG, _CLOSED_RAD = 12.0, 0.12
_SOFT_PX = 2.0
MARGIN = 1.1  # half a crop's side in face heights: hair and shoulders' upper part


@dataclass(frozen=True)
class TrackedFrame:
    """number in the clip; rgb (H, W, 3) u8; the face in it; its fit in px of the frame."""

    number: int
    rgb: U8
    face: TrackedFace
    fit: FaceFit


@dataclass(frozen=True)
class RealFrame:
    """A frame as pictures are compared with it.

    rgb (S, S, 3) u8; matte, above (S, S) f32: the person, and what is above the chin and inside
    the frame;
    landmarks (478, 2) f64 px; camera: head space to this crop; fit: of the frame it is cut from.
    """

    number: int
    rgb: U8
    matte: F32
    above: F32
    landmarks: F64
    camera: Camera
    fit: FaceFit


@dataclass(frozen=True)
class TrackedClip:
    """frames: every one that was looked at and has a face; source: the place of the first
    near-frontal, neutral one among them; lost: frames without a face."""

    frames: tuple[TrackedFrame, ...]
    source: int
    lost: int


def track_frames(path: Path, tools: Tools, every: int) -> TrackedClip:
    """Track every ``every``-th frame of a clip; all fits have the source's identity.

    The source is the first frame that is near-frontal and neutral; where there is none, the most
    frontal one. Raises PhotoRefused (`no_face`, `clip_unreadable`).
    """
    found, lost = [], 0
    follower = ClipTracker(tools.tracker)
    for number, rgb in enumerate(open_clip(path).frames()):
        if number % every:
            continue
        face = follower.next(rgb)
        if face is None:
            lost += 1
        else:
            found.append(TrackedFrame(number, rgb, face, tools.fitter.fit(face.landmarks)))
    if not found:
        raise PhotoRefused(
            "no_face", f"No face was found in {path.name}.", "Use a clip that shows a face."
        )
    source = source_place([frame.fit for frame in found], tools.head.expression_names)
    own = found[source].fit
    frames = [
        frame
        if place == source
        else replace(frame, fit=tools.fitter.track(frame.face.landmarks, own))
        for place, frame in enumerate(found)
    ]
    return TrackedClip(tuple(frames), source, lost)


def source_place(fits: list[FaceFit], expression_names: tuple[str, ...]) -> int:
    """Return which fit is the first near-frontal, neutral one, else the most frontal one."""
    for place, fit in enumerate(fits):
        straight = max(abs(fit.yaw), abs(fit.pitch), abs(fit.roll)) <= _STRAIGHT_DEG
        closed = float(fit.params.jaw[0]) <= _CLOSED_RAD
        if straight and closed and not judge_fit(fit, expression_names):
            return place
    return min(range(len(fits)), key=lambda place: (abs(fits[place].yaw), place))


def real_frames(clip: TrackedClip, tools: Tools, size: int) -> Iterator[RealFrame]:
    """Yield every frame of a clip as a square of ``size`` px round the head, with its matte."""
    for frame in clip.frames:
        yield real_frame(frame, tools, size)


def real_frame(frame: TrackedFrame, tools: Tools, size: int) -> RealFrame:
    """Return a frame as a square of ``size`` px round the head, with its matte."""
    photo = Photo(frame.rgb, None, "frame")
    crop = head_crop(photo, frame.face, tools.matte, MARGIN, max_size=2 * size)
    side = len(crop.rgb)
    shrink = size / side
    way = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    layers = (crop.rgb, crop.matte, crop.valid.astype(np.float32))
    rgb, matte, valid = (cv2.resize(each, (size, size), interpolation=way) for each in layers)
    height, width = frame.rgb.shape[:2]
    affine = shrink * crop.photo_to_crop
    camera = crop_camera(fit_camera(frame.fit, width, height), affine, size, size)
    landmarks = shrink * crop.landmarks[:, :2].astype(np.float64)
    above = np.asarray(above_chin(landmarks, size) * (valid > 0.99), np.float32)
    return RealFrame(
        frame.number, np.asarray(rgb, np.uint8), matte, above, landmarks, camera, frame.fit
    )


def above_chin(landmarks: F64, size: int) -> F32:
    """Return what lies above the chin (S, S) f32 in [0, 1]: past the line through the chin and
    across the face; landmarks (478, 2) px."""
    chin = landmarks[_CHIN]
    up = landmarks[_FOREHEAD] - chin
    up = up / np.linalg.norm(up)
    row, column = np.indices((size, size)) + 0.5
    height = (column - chin[0]) * up[0] + (row - chin[1]) * up[1]
    return np.clip(height / _SOFT_PX + 0.5, 0, 1).astype(np.float32)


def turn_degrees(first: FaceFit, second: FaceFit) -> float:
    """Return the angle in degrees between the heads of two fits."""
    turn = np.asarray(first.rotation).T @ np.asarray(second.rotation)
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
