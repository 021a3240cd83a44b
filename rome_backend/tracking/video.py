# SPDX-License-Identifier: Apache-2.0
"""Tracks the face of a clip from frame to frame and fits a head model to each.

Does not know how landmarks are found or fitted, nor how the gaze is made steady.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from rome_backend.core.errors import Cancelled, PhotoRefused
from rome_backend.core.types import F32, U8, FaceFit, Motion, TrackedFace
from rome_backend.tracking.clip import open_clip
from rome_backend.tracking.face_mesh import SURE, FaceTracker
from rome_backend.tracking.gaze import lids_open, steady_gaze

_SEARCH_TILES = (1.0, 0.6, 0.34)
_CONFIRM_EVERY = 30
_SPARE_FRAMES = 2
_SPARE_SHARE = 0.02


class Fitter(Protocol):
    """What track_clip needs of a fitter: rome_backend.tracking.fit.FaceFitter is one."""

    def fit(self, landmarks: F32) -> FaceFit:
        """Fit landmarks (478, 3) px of a first frame."""

    def track(self, landmarks: F32, previous: FaceFit) -> FaceFit:
        """Fit landmarks (478, 3) px of a later frame of the same person."""


class ClipTracker:
    """Follows one face: the detector runs on the first frame and when the face is lost."""

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self._previous: TrackedFace | None = None
        self._age = 0

    def next(self, rgb: U8) -> TrackedFace | None:
        """Return the face in the next frame (H, W, 3), or None when there is none."""
        face = self._followed(rgb) or self._searched(rgb)
        self._previous = face
        return face

    def _followed(self, rgb: U8) -> TrackedFace | None:
        if self._previous is None:
            return None
        face = self._tracker.follow(rgb, self._previous)
        if face.score < SURE:
            return None
        self._age += 1
        if self._age % _CONFIRM_EVERY == 0 and self._tracker.confirm(rgb, face).score < SURE:
            return None
        return face

    def _searched(self, rgb: U8) -> TrackedFace | None:
        self._age = 0
        faces = self._tracker.track(rgb, _SEARCH_TILES)
        return faces[0] if faces and faces[0].score >= SURE else None


def track_clip(
    path: Path | str,
    tracker: FaceTracker,
    fitter: Fitter,
    progress: Callable[[str, float], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Motion:
    """Return the motion of the largest face of a clip; its identity is that of the first frame.

    Args:
        progress: called with 'track' and the fraction of promised frames that are done.
        cancel: asked before each frame.

    Returns:
        A Motion with None where no face was found; warnings may hold 'face_lost' (in some
        frames) and 'clip_truncated' (fewer frames than promised).

    Raises:
        PhotoRefused: 'clip_unreadable', 'clip_too_large', 'no_face'.
        Cancelled: when `cancel` returned True.
    """
    clip = open_clip(path)
    follower = ClipTracker(tracker)
    fits: list[FaceFit | None] = []
    opened: list[float] = []
    last: FaceFit | None = None
    for rgb in clip.frames():
        if cancel is not None and cancel():
            raise Cancelled()
        face = follower.next(rgb)
        fit = None
        if face is not None:
            fit = fitter.track(face.landmarks, last) if last else fitter.fit(face.landmarks)
            last = fit
        fits.append(fit)
        opened.append(lids_open(face.landmarks) if face is not None else 0.0)
        if progress is not None:
            progress("track", min(1.0, len(fits) / max(clip.promised, 1)))
    _require_a_face(Path(path).name, fits)
    found = np.array([fit is not None for fit in fits])
    warnings = []
    if not found.all():
        warnings.append("face_lost")
    if len(fits) < clip.promised - max(_SPARE_FRAMES, _SPARE_SHARE * clip.promised):
        warnings.append("clip_truncated")
    return Motion(tuple(steady_gaze(fits, opened, clip.fps)), found, clip.fps, tuple(warnings))


def _require_a_face(name: str, fits: list[FaceFit | None]) -> None:
    if not fits:
        raise PhotoRefused(
            "clip_unreadable",
            f"{name} holds no frame that can be decoded.",
            "Use a complete MP4, MOV, WebM or GIF file.",
        )
    if all(fit is None for fit in fits):
        raise PhotoRefused(
            "no_face",
            f"No human face was found in {name}.",
            "Use a clip that shows one face from the front.",
        )
