# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.tracking.video: the rules with fakes, then the real tracker on clips."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import Cancelled, PhotoRefused
from rome_backend.core.types import F32, U8, FaceFit, FlameParams, TrackedFace
from rome_backend.tracking import video
from rome_backend.tracking.clip import Clip
from rome_backend.tracking.face_mesh import TILES, FaceTracker
from rome_backend.tracking.video import track_clip

FACE, EMPTY = 200, 0


class Tracker:
    """Sees a face in bright frames; keeps count of what it was asked."""

    def __init__(self, drift: bool = False) -> None:
        self.searches, self.follows, self.drift = 0, 0, drift

    def _face(self, rgb: U8) -> TrackedFace:
        landmarks = np.full((478, 3), float(rgb.mean()), np.float32)
        return TrackedFace(landmarks, 1.0 if rgb.mean() > 100 else 0.1)

    def track(self, rgb: U8, tiles: Sequence[float] = TILES) -> list[TrackedFace]:
        self.searches += 1
        face = self._face(rgb)
        return [face] if face.score > 0.5 else []

    def follow(self, rgb: U8, previous: TrackedFace) -> TrackedFace:
        self.follows += 1
        return self._face(rgb)

    def confirm(self, rgb: U8, face: TrackedFace) -> TrackedFace:
        return TrackedFace(face.landmarks, 0.0 if self.drift else 1.0)


class Fitter:
    """Notes the calls; the fit's scale says which frame it came from."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def _fit(self, landmarks: F32) -> FaceFit:
        params = FlameParams(np.zeros(1), np.zeros(1))
        scale = float(landmarks[0, 0])
        return FaceFit(params, scale, np.eye(3), np.zeros(2), 0.0, 0.0, 0.0, 0.0)

    def fit(self, landmarks: F32) -> FaceFit:
        self.calls.append("fit")
        return self._fit(landmarks)

    def track(self, landmarks: F32, previous: FaceFit) -> FaceFit:
        assert previous.scale > 0
        self.calls.append("track")
        return self._fit(landmarks)


@pytest.fixture
def clip_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(values: Sequence[int], promised: int | None = None) -> Path:
        class Made(Clip):
            def frames(self) -> Iterator[U8]:
                return (np.full((4, 4, 3), value, np.uint8) for value in values)

        made = Made(Path("clip.mp4"), 30.0, len(values) if promised is None else promised, False)
        monkeypatch.setattr(video, "open_clip", lambda path: made)
        return made.path

    return make


def test_the_detector_runs_on_the_first_frame_only(clip_of: Any) -> None:
    tracker, fitter = Tracker(), Fitter()
    motion = track_clip(clip_of([FACE] * 10), tracker, fitter)  # type: ignore[arg-type]
    assert (tracker.searches, tracker.follows) == (1, 9)
    assert fitter.calls == ["fit"] + ["track"] * 9
    assert motion.found.all() and len(motion.frames) == 10
    assert motion.fps == 30 and motion.warnings == ()


def test_a_lost_face_is_searched_until_it_is_back(clip_of: Any) -> None:
    tracker, fitter = Tracker(), Fitter()
    values = [EMPTY, FACE, FACE, EMPTY, EMPTY, FACE, FACE]
    motion = track_clip(clip_of(values), tracker, fitter)  # type: ignore[arg-type]
    assert motion.found.tolist() == [value == FACE for value in values]
    assert [frame is not None for frame in motion.frames] == motion.found.tolist()
    assert motion.warnings == ("face_lost",)
    assert tracker.searches == 5
    assert fitter.calls == ["fit", "track", "track", "track"], "the identity is kept"


def test_what_drifts_off_the_face_is_noticed(clip_of: Any) -> None:
    tracker = Tracker(drift=True)
    motion = track_clip(clip_of([FACE] * 100), tracker, Fitter())  # type: ignore[arg-type]
    assert motion.found.all()
    assert 2 <= tracker.searches <= 5


def test_no_face_and_no_frame_are_refused(clip_of: Any) -> None:
    for values, code in (([EMPTY] * 4, "no_face"), ([], "clip_unreadable")):
        with pytest.raises(PhotoRefused) as caught:
            track_clip(clip_of(values), Tracker(), Fitter())  # type: ignore[arg-type]
        assert caught.value.code == code and caught.value.hint


@pytest.mark.parametrize(("promised", "warned"), [(20, False), (22, False), (40, True), (0, False)])
def test_fewer_frames_than_promised(clip_of: Any, promised: int, warned: bool) -> None:
    motion = track_clip(clip_of([FACE] * 20, promised), Tracker(), Fitter())  # type: ignore[arg-type]
    assert ("clip_truncated" in motion.warnings) == warned


def test_progress_rises_to_one(clip_of: Any) -> None:
    seen: list[tuple[str, float]] = []
    track_clip(
        clip_of([FACE] * 4),
        Tracker(),  # type: ignore[arg-type]
        Fitter(),
        progress=lambda stage, fraction: seen.append((stage, fraction)),
    )
    assert seen == [("track", 0.25), ("track", 0.5), ("track", 0.75), ("track", 1.0)]


def test_it_can_be_cancelled(clip_of: Any) -> None:
    fitter = Fitter()
    with pytest.raises(Cancelled):
        track_clip(
            clip_of([FACE] * 50),
            Tracker(),  # type: ignore[arg-type]
            fitter,
            cancel=lambda: len(fitter.calls) >= 3,
        )
    assert len(fitter.calls) == 3


def test_every_odd_clip_ends_as_expected(data_dir: Path, tracker_models: Path) -> None:
    expected = json.loads((data_dir / "expected_negatives.json").read_text("utf-8"))["files"]
    names = [name for name in expected if name.startswith("videos_negative/")]
    assert len(names) == 8
    tracker, wrong = FaceTracker(tracker_models), {}
    for name in names:
        why: tuple[str, ...]
        try:
            why = track_clip(data_dir / name, tracker, Fitter()).warnings
            result = "warn" if why else "ok"
        except PhotoRefused as refused:
            result, why = "refuse", (refused.code,)
        if result not in expected[name]["outcome"]:
            wrong[name] = (result, why)
    assert wrong == {}


def test_the_frames_where_the_face_is_lost(data_dir: Path, tracker_models: Path) -> None:
    path = data_dir / "videos_negative" / "face_lost_frames_15_30.mp4"
    motion = track_clip(path, FaceTracker(tracker_models), Fitter())
    assert motion.found.tolist() == [not 15 <= n < 30 for n in range(60)]
    assert motion.warnings == ("face_lost",)
