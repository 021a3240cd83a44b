# SPDX-License-Identifier: Apache-2.0
"""The walk's waiting, its verdict on clicks, and what it leaves running: nothing.

Does not know Blender: the screen and the observer's file are made up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.real_blender_inside import story as module
from tools.real_blender_inside.screen import StepFailed

QUIET = {"regions": {"UI": [756, 81, 292, 616], "WINDOW": [2, 27, 1046, 670]}, "heads": {}}


class FakeScreen:
    """A screen on which every phrase shows; an effect follows each click on one."""

    def __init__(self, pictures: Path) -> None:
        self.clicks, self.saved, self.clicked = 0, [], []
        self._last = ""

    def find(self, phrase: str, box=None, seconds: float = 20.0) -> tuple[float, float]:
        self._last = phrase
        return (0.0, 0.0)

    def click(self, place: tuple[float, float], times: int = 1) -> None:
        self.clicks += 1
        self.clicked.append(self._last)

    def drag(self, place: tuple[float, float], dx: int) -> None:
        self.clicked.append(f"drag {self._last}")

    def scroll(self, place: tuple[float, float], notches: int) -> None:
        pass

    def move(self, place: tuple[float, float]) -> None:
        pass

    def press(self, key: str) -> None:
        self.clicked.append(f"key {key}")

    def save(self, name: str) -> None:
        self.saved.append(name)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The observer's file, and no waiting between looks."""
    path = tmp_path / "watch.json"
    monkeypatch.setattr(module, "WATCH", path)
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return path


def test_before_the_observer_began_nothing_is_known(watch: Path) -> None:
    assert module.state() == {}
    watch.write_text(json.dumps(QUIET))
    assert module.state() == QUIET
    assert module.sidebar() == (756, 81, 292, 616)


def test_waiting_ends_when_it_shows(watch: Path) -> None:
    watch.write_text(json.dumps(QUIET | {"heads": {"Ada": {}}}))
    assert module.wait("the head", lambda now: now["heads"], 5.0)["heads"] == {"Ada": {}}


def test_waiting_in_vain_says_what_for_and_what_there_is(watch: Path) -> None:
    watch.write_text(json.dumps(QUIET))
    with pytest.raises(StepFailed, match="the head did not happen within 0 s.*regions"):
        module.wait("the head", lambda now: now["heads"], 0.01)


@pytest.fixture
def walked(watch: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeScreen:
    """A screen for a walk on which every wait is fulfilled."""
    monkeypatch.setattr(module, "wait", lambda what, shows, seconds: QUIET)
    monkeypatch.setattr(module, "state", lambda: QUIET | {"heads": {"Ada": {}}, "actions": []})
    monkeypatch.setattr(module.Path, "home", lambda: tmp_path)
    (tmp_path / "portrait.jpg").touch()
    return FakeScreen(tmp_path)


def test_the_walk_is_three_clicks_to_the_head_then_slider_key_and_render(
    walked: FakeScreen, capsys: pytest.CaptureFixture[str]
) -> None:
    module.story(walked)
    assert walked.clicked[:3] == ["Choose Photos", "portrait.jpg", "Create Head"]
    assert walked.clicked.index("drag Open") < walked.clicked.index("Key All")
    assert walked.clicked[-1] == f"key {module.F12}"
    assert "clicks from photo to head: 3" in capsys.readouterr().out
    assert walked.saved == sorted(walked.saved) and len(walked.saved) >= 8


def test_a_fourth_click_breaks_the_promise(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_more(screen: FakeScreen) -> None:
        screen.click((0, 0))
        screen.click((0, 0))

    monkeypatch.setattr(module, "create_head", two_more)
    with pytest.raises(StepFailed, match="4 clicks"):
        module.story(walked)


def test_a_traceback_while_installing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"stdout": "", "stderr": "Traceback (most recent call last):"}
    done = subprocess.CompletedProcess([], 0, **answers)
    monkeypatch.setattr(module.subprocess, "run", lambda *args, **kwargs: done)
    with pytest.raises(StepFailed, match="Traceback"):
        module.install("rome.zip")


@pytest.mark.parametrize("fails", [True, False])
def test_whatever_happens_everything_started_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def start() -> list[subprocess.Popen[bytes]]:
        for _ in range(2):
            processes.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1))
        return processes

    def story(screen: FakeScreen) -> None:
        if fails:
            raise StepFailed("the head did not happen")

    monkeypatch.setattr(module, "LOG", tmp_path / "log")
    (tmp_path / "log").write_text("Blender's last words")
    monkeypatch.setattr(module, "Screen", FakeScreen)
    monkeypatch.setattr(module, "install", lambda archive: None)
    monkeypatch.setattr(module, "start", start)
    monkeypatch.setattr(module, "story", story)
    assert module.main(["rome.zip", str(tmp_path)]) == int(fails)
    assert len(processes) == 2 and all(process.poll() is not None for process in processes)
    said = capsys.readouterr().out
    assert ("FAILED: the head did not happen" in said and "last words" in said) == fails
