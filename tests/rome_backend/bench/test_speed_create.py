# SPDX-License-Identifier: Apache-2.0
"""Overhead of making an avatar beside the networks' work, with made-up times; the swaying clip."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from rome_backend.bench import speed_create
from rome_backend.core.errors import RomeError


def test_overhead_is_what_lies_beside_the_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    network = SimpleNamespace(seconds=0.0)
    rounds: list[dict] = []

    def create(photos: object, options: object, tools: object) -> SimpleNamespace:
        network.seconds += 2.0
        first = not rounds
        stages = {"set up": 9.0, "track": 0.2, "crop": 0.1, "fit": 0.1, "silhouette": 2.4,
                  "texture": 5.0}  # fmt: skip
        rounds.append({name: 100 * value if first else value for name, value in stages.items()})
        return SimpleNamespace(seconds=dict(rounds[-1]))

    monkeypatch.setattr(speed_create, "_tools", lambda: ("tools", (network,)))
    monkeypatch.setattr(speed_create, "create_avatar", create)
    ratios, seconds = speed_create.bench_create_overhead(Path("me.jpg"), 2)
    assert len(rounds) == 3
    assert ratios["create_overhead"].value == pytest.approx((0.2 + 0.1 + 0.4) / 2)
    assert ratios["create_overhead_with_fit"].value == pytest.approx((0.2 + 0.1 + 0.1 + 0.4) / 2)
    assert seconds["create_networks"] == [2.0, 2.0]
    assert seconds["create_silhouette"] == pytest.approx([0.4, 0.4])
    assert seconds["create_texture"] == [5.0, 5.0]


def test_the_clip_sways(tmp_path: Path) -> None:
    rgb = np.asarray(Image.effect_noise((200, 120), 80).convert("RGB").resize((400, 240)))
    path = tmp_path / "clip.avi"
    speed_create.write_clip(rgb, path, 9)
    reader = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = reader.read()
        if not there:
            break
        frames.append(frame.astype(int))
    assert len(frames) == 9 and frames[0].shape == (306, 512, 3)
    assert np.abs(frames[0] - frames[6]).mean() > 2


def test_without_an_encoder_there_is_no_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        def __init__(self, *_: object) -> None:
            self.isOpened = lambda: False

        @staticmethod
        def fourcc(*_: str) -> int:
            return 0

    monkeypatch.setattr(speed_create.cv2, "VideoWriter", Closed)
    with pytest.raises(RomeError) as caught:
        speed_create.write_clip(np.zeros((8, 8, 3), np.uint8), tmp_path / "a.avi", 1)
    assert caught.value.code == "clip_not_written"


def test_tracking_is_timed_per_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    tracked: list[Path] = []

    def track(path: Path, tracker: object, fitter: object) -> None:
        assert path.is_file() and (tracker, fitter) == ("t", "f")
        tracked.append(path)

    monkeypatch.setattr(
        speed_create, "load_tools", lambda: SimpleNamespace(tracker="t", fitter="f")
    )
    photo = SimpleNamespace(rgb=np.zeros((64, 64, 3), np.uint8))
    monkeypatch.setattr(speed_create, "load_photo", lambda path: photo)
    monkeypatch.setattr(speed_create, "track_clip", track)
    monkeypatch.setattr(speed_create.time, "perf_counter", iter([1.0, 4.0]).__next__)
    assert speed_create.seconds_per_tracked_frame(Path("me.jpg"), frames=6) == 0.5
    assert tracked and not tracked[0].exists()
