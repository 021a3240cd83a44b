# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.clip with clips written here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import U8
from rome_backend.tracking import clip as clip_module
from rome_backend.tracking.clip import open_clip


def frame(index: int, height: int = 48, width: int = 64) -> U8:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0], rgb[..., 2] = 40 * (index % 6), 200
    return rgb


def video(path: Path, count: int = 5, fps: float = 12.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write a clip")
    for index in range(count):
        writer.write(frame(index)[..., ::-1])
    writer.release()
    return path


def animation(path: Path, count: int = 5, duration: int = 80) -> Path:
    frames = [Image.fromarray(frame(index)) for index in range(count)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration)
    return path


def test_the_frames_of_a_video(tmp_path: Path) -> None:
    clip = open_clip(video(tmp_path / "clip.avi"))
    assert clip.fps == pytest.approx(12)
    assert clip.promised == 5
    frames = list(clip.frames())
    assert len(frames) == 5
    for index, rgb in enumerate(frames):
        assert np.abs(rgb.astype(int) - frame(index)).mean() < 6


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_the_frames_of_an_animation(tmp_path: Path, ending: str) -> None:
    clip = open_clip(animation(tmp_path / f"clip.{ending}"))
    assert clip.animation and clip.promised == 5
    assert clip.fps == pytest.approx(12.5)
    frames = list(clip.frames())
    assert len(frames) == 5
    for index, rgb in enumerate(frames):
        assert rgb.flags.c_contiguous and rgb.dtype == np.uint8
        assert np.abs(rgb.astype(int) - frame(index)).mean() < 12


def test_frames_can_be_read_again(tmp_path: Path) -> None:
    clip = open_clip(animation(tmp_path / "clip.gif"))
    assert len(list(clip.frames())) == len(list(clip.frames())) == 5


def test_an_animation_without_times_has_a_rate(tmp_path: Path) -> None:
    assert open_clip(animation(tmp_path / "clip.gif", duration=0)).fps == 25


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_off_animation_gives_what_is_there(tmp_path: Path, share: float) -> None:
    path = animation(tmp_path / "clip.gif", count=12)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    try:
        frames = list(open_clip(path).frames())
    except PhotoRefused as refused:
        assert refused.code == "clip_unreadable"
    else:
        assert len(frames) < 12


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no video at all",
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b" \nffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x18ftypmp42" + b"\0" * 200,
    ],
)
def test_what_is_no_clip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(PhotoRefused) as caught:
        open_clip(path)
    assert caught.value.code == "clip_unreadable"
    assert "clip.mp4" in caught.value.message and caught.value.hint


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.mp4", tmp_path, "frame_%03d.png"):
        with pytest.raises(PhotoRefused):
            open_clip(path)


def test_frames_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_module, "_MAXIMUM_PIXELS", 64 * 48 - 1)
    for path in (video(tmp_path / "clip.avi"), animation(tmp_path / "clip.gif")):
        with pytest.raises(PhotoRefused) as caught:
            open_clip(path)
        assert caught.value.code == "clip_too_large"
