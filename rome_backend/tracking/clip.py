# SPDX-License-Identifier: Apache-2.0
"""Reads the frames of a clip one at a time: video files through OpenCV, animations through Pillow.

Does not know faces; never holds more than one frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageSequence

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8
from rome_backend.tracking.decoder_errors import DECODER_ERRORS

_MAXIMUM_PIXELS = 40_000_000
_DEFAULT_FPS = 25.0
_MAXIMUM_FPS = 1000.0
_ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")
# Lists of other files, which a video library would open in turn.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat")


@dataclass(frozen=True)
class Clip:
    """A clip that can be read: frames per second, and how many frames its header promises."""

    path: Path
    fps: float
    promised: int
    animation: bool

    def frames(self) -> Iterator[U8]:
        """Yield each frame as (H, W, 3) u8 sRGB until the clip ends or cannot be decoded."""
        return _animation_frames(self.path) if self.animation else _video_frames(self.path)


def open_clip(path: Path | str) -> Clip:
    """Return the clip in a file.

    Raises:
        PhotoRefused: 'clip_unreadable' when it is no clip, 'clip_too_large' when its frames are.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise _unreadable(place, error.strerror or str(error)) from error
    if not start or start.lstrip().startswith(_PLAYLISTS):
        raise _unreadable(place, "it is empty or a list of other files")
    return _open_animation(place) or _open_video(place)


def _open_animation(path: Path) -> Clip | None:
    try:
        with Image.open(path, formats=_ANIMATIONS) as image:
            _check_size(path, *image.size)
            count = getattr(image, "n_frames", 1)
            image.seek(count - 1)
            image.load()
            duration = float(image.info.get("duration", 0) or 0)
    except DECODER_ERRORS:
        return None
    fps = 1000 / duration if duration > 0 else _DEFAULT_FPS
    return Clip(path, min(fps, _MAXIMUM_FPS), count, animation=True)


def _open_video(path: Path) -> Clip:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise _unreadable(path, "it is damaged or no video")
        _check_size(
            path,
            int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
        fps = capture.get(cv2.CAP_PROP_FPS)
        promised = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        capture.release()
    usable = np.isfinite(fps) and 0 < fps <= _MAXIMUM_FPS
    return Clip(path, float(fps) if usable else _DEFAULT_FPS, promised, animation=False)


def _video_frames(path: Path) -> Iterator[U8]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        while True:
            read, frame = capture.read()
            if not read:
                return
            yield np.ascontiguousarray(frame[..., ::-1], np.uint8)
    finally:
        capture.release()


def _animation_frames(path: Path) -> Iterator[U8]:
    with Image.open(path, formats=_ANIMATIONS) as image:
        frames = ImageSequence.Iterator(image)
        while True:
            try:
                frame = np.array(next(frames).convert("RGB"))
            except (StopIteration, *DECODER_ERRORS):
                return
            yield frame


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > _MAXIMUM_PIXELS:
        raise PhotoRefused(
            "clip_too_large",
            f"The frames of {path.name} are too large ({width} x {height}).",
            "Scale the clip down to 4K or less.",
        )


def _unreadable(path: Path, why: str) -> PhotoRefused:
    return PhotoRefused(
        "clip_unreadable",
        f"{path.name} cannot be read as a clip: {why}.",
        "Use a complete MP4, MOV, WebM or GIF file.",
    )
