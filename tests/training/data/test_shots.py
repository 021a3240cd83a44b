# SPDX-License-Identifier: Apache-2.0
"""Shots: where the picture changes, where the face is lost, jumps or grows; stored frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from rome_backend.core.errors import PhotoRefused
from rome_backend.core.types import FaceFit, FlameParams, TrackedFace
from training.data.recordings import Frame
from training.data.shots import tracked_shots

STILL = (60, 40.0, 30.0)


@dataclass(frozen=True)
class Scene:
    """Frames that say where their face is: brightness of the picture, x and size of the face."""

    rows: tuple[tuple[int, float, float] | None, ...]
    continuous: bool = True
    name: str = "scene"
    facts: dict = field(default_factory=dict)

    def frames(self) -> Iterator[Frame]:
        for number, row in enumerate(self.rows):
            rgb = np.full((90, 120, 3), 60 if row is None else row[0], np.uint8)
            rgb[0, 0] = (0, 0, 0) if row is None else (1, int(row[1]), int(row[2]))
            yield Frame(number, rgb)


class Tracker:
    """Reads the face's place out of the first pixel; finds it again or follows it."""

    def __init__(self) -> None:
        self.searched = 0

    def _face(self, rgb: np.ndarray) -> TrackedFace:
        sure, x, size = (int(value) for value in rgb[0, 0])
        grid = np.linspace(0, 1, 478)[:, None] * [size, size, 0] + [x, 20, 0]
        return TrackedFace(grid.astype(np.float32), 1.0 if sure else 0.0)

    def follow(self, rgb: np.ndarray, previous: TrackedFace) -> TrackedFace:
        return self._face(rgb)

    def confirm(self, rgb: np.ndarray, face: TrackedFace) -> TrackedFace:
        return face

    def track(self, rgb: np.ndarray, tiles: tuple[float, ...]) -> list[TrackedFace]:
        self.searched += 1
        return [self._face(rgb)]


class Fitter:
    def fit(self, landmarks: np.ndarray) -> FaceFit:
        params = FlameParams(np.zeros(1), np.zeros(1))
        return FaceFit(params, 1.0, np.eye(3), np.zeros(2), 0, 0, 0, 0.0)


class Judge:
    name, least = "mean", 0.0

    def score(self, face: np.ndarray) -> float:
        return float(face.mean())


def numbers(scene: Scene, every: int = 1, tracker: Tracker | None = None) -> list[list[int]]:
    found = tracked_shots(scene, tracker or Tracker(), Fitter(), Judge(), every)  # type: ignore
    return [[look.number for look in shot] for shot in found if shot]


def test_a_cut_ends_a_shot_though_the_face_stays_where_it_is() -> None:
    tracker = Tracker()
    scene = Scene((STILL, STILL, (90, 40, 30), (90, 40, 30), (97, 40, 30)))
    assert numbers(scene, tracker=tracker) == [[0, 1], [2, 3, 4]]
    assert tracker.searched == 2  # the face of another shot is looked for


def test_a_cut_between_frames_that_are_looked_at_counts() -> None:
    other = (120, 40.0, 30.0)
    assert numbers(Scene((STILL, STILL, other, STILL, STILL)), every=2) == [[0], [2], [4]]
    assert numbers(Scene((STILL, other, STILL, STILL, STILL)), every=4) == [[0], [4]]


@pytest.mark.parametrize("then", [None, (60, 60.0, 30.0), (60, 40.0, 50.0)])
def test_a_face_that_is_lost_jumps_or_grows_ends_a_shot(then: tuple | None) -> None:
    wanted = [[0, 1], [3]] if then is None else [[0, 1], [2], [3]]
    assert numbers(Scene((STILL, STILL, then, STILL))) == wanted


def test_a_face_that_moves_slowly_is_one_shot() -> None:
    rows = tuple((60 + n, 40.0 + 3 * n, 30.0 + n) for n in range(8))
    assert numbers(Scene(rows)) == [list(range(8))]
    assert numbers(Scene(rows), every=3) == [[0, 3, 6]]


def test_stored_frames_are_one_shot_and_each_is_looked_at() -> None:
    tracker = Tracker()
    rows = (STILL, (200, 80.0, 20.0), None, (10, 10.0, 60.0))
    assert numbers(Scene(rows, continuous=False), every=9, tracker=tracker) == [[0, 1, 3]]
    assert tracker.searched == 4


def test_each_look_has_the_judge_s_score_of_the_face_alone() -> None:
    ((first,), (second,)) = tracked_shots(
        Scene((STILL, (100, 40.0, 30.0))),
        Tracker(),
        Fitter(),
        Judge(),
        1,  # type: ignore
    )
    assert (first.quality, second.quality) == (60, 100)


def test_no_face_at_all_is_refused() -> None:
    with pytest.raises(PhotoRefused) as caught:
        numbers(Scene((None, None)))
    assert caught.value.code == "no_face"
