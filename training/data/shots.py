# SPDX-License-Identifier: Apache-2.0
"""Follows the face through a recording, judges its frames and cuts them into shots.

Does not know samples. No pixels are kept, so that a recording may be long.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import F32, U8, FaceFit, TrackedFace
from rome_backend.tracking.face_mesh import FaceTracker, face_extent
from rome_backend.tracking.video import ClipTracker, Fitter
from training.data.quality import Judge, face_picture
from training.data.recordings import Recording

_SAME_FACE = 0.5  # of its extent that a face may move from one looked-at frame to the next
_THUMBNAIL = (32, 24)
# Levels that a thumbnail changes by from one frame to the next when the shot does: the largest of
# 2,900 frames of nine clips is 7.9, the least between two of those clips 30.9.
_CUT = 18.0


@dataclass(frozen=True)
class Look:
    """number of the frame; the face in it; its fit, of this frame alone; quality: the judge's."""

    number: int
    face: TrackedFace
    fit: FaceFit
    quality: float


def tracked_shots(
    recording: Recording, tracker: FaceTracker, fitter: Fitter, judge: Judge, every: int
) -> list[list[Look]]:
    """Return what every ``every``-th frame shows, in shots; some may be empty.

    A shot ends where the picture changes at once and where the face is lost, jumps or changes its
    size. Frames that do not follow each other in time are one shot, each looked at.
    Raises PhotoRefused (`clip_unreadable`, `no_face`).
    """
    shots: list[list[Look]] = [[]]
    follower, before = ClipTracker(tracker), None
    for frame in recording.frames():
        if recording.continuous:
            now = _thumbnail(frame.rgb)
            if before is not None and np.abs(now - before).mean() > _CUT:
                shots.append([])
                follower = ClipTracker(tracker)
            before = now
            if frame.number % every:
                continue
        else:
            follower = ClipTracker(tracker)
        look = _looked(frame.number, frame.rgb, follower, fitter, judge)
        cut = look is None or (shots[-1] and _jumped(shots[-1][-1], look))
        if cut and recording.continuous:
            shots.append([])
        if look is not None:
            shots[-1].append(look)
    if not any(shots):
        raise PhotoRefused(
            "no_face", f"No face was found in {recording.name}.", "Use a clip that shows a face."
        )
    return shots


def _looked(
    number: int, rgb: U8, follower: ClipTracker, fitter: Fitter, judge: Judge
) -> Look | None:
    face = follower.next(rgb)
    if face is None:
        return None
    picture = face_picture(rgb, face.landmarks)
    quality = judge.score(picture) if picture.size else 0.0
    return Look(number, face, fitter.fit(face.landmarks), quality)


def _thumbnail(rgb: U8) -> F32:
    small = cv2.resize(rgb, _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _jumped(before: Look, after: Look) -> bool:
    """Whether a face is elsewhere, or of another size, than a moment ago: the shot has changed."""
    middles = [look.face.landmarks[:, :2].mean(0) for look in (before, after)]
    extents = [face_extent(look.face.landmarks) for look in (before, after)]
    moved = float(np.linalg.norm(middles[1] - middles[0]))
    return moved > _SAME_FACE * extents[0] or not 0.7 < extents[1] / extents[0] < 1.4
