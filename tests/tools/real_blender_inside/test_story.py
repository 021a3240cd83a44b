# SPDX-License-Identifier: Apache-2.0
"""The walk's order, its verdict on clicks, and what it leaves running: nothing.

Does not know Blender: the screen and the observer's file are made up.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.real_blender_inside import making, showing, watch
from tools.real_blender_inside import story as module
from tools.real_blender_inside.screen import StepFailed

QUIET = {
    "regions": {"UI": [756, 81, 292, 616], "WINDOW": [2, 27, 1046, 670]},
    "heads": {"Ada": {}}, "actions": [], "draws": [0.02, 0.01, 0.03], "asked": 0, "renders": 0,
}  # fmt: skip


class FakeScreen:
    """A screen on which every phrase shows; an effect follows each click on one."""

    def __init__(self, pictures: Path, asked: list[str] | None = None) -> None:
        self.asked = [] if asked is None else asked
        self.clicks, self.saved, self.clicked = 0, [], []
        self._last = ""

    def find(self, phrase: str, box=None, seconds: float = 20.0) -> tuple[float, float]:
        self._last = phrase
        return (0.0, 0.0)

    def lose(self, phrase: str, box, seconds: float = 60.0) -> None:
        assert box() == tuple(QUIET["regions"]["UI"])

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

    def pixels(self, box) -> bytes:
        """What is seen changes with everything that is done; a backend lost is found again."""
        orders = sum("backend" not in order for order in self.asked)
        return bytes([(len(self.clicked) + orders) * 37 % 256]) * 100

    def save(self, name: str) -> None:
        self.saved.append(name)


class FakeSource:
    """Drops files, or does not."""

    takes = True

    def __init__(self, display: str, file: Path) -> None:
        self.file = file

    def __enter__(self) -> FakeSource:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def drop(self, x: int, y: int) -> bool:
        return self.takes and self.file.exists()


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeScreen:
    """A screen for a walk on which every wait is fulfilled and five frames are written."""
    for each in (module, making, showing):
        monkeypatch.setattr(each, "wait", lambda what, shows, seconds: QUIET)
        monkeypatch.setattr(each.time, "sleep", lambda seconds: None)
    for each in (making, showing, watch):
        monkeypatch.setattr(each, "state", lambda: QUIET)
    monkeypatch.setattr(making, "breathe", lambda: None)
    asked: list[str] = []
    monkeypatch.setattr(showing, "ask", asked.append)
    monkeypatch.setattr(showing, "FRAMES", tmp_path)
    monkeypatch.setattr(making, "Source", FakeSource)
    monkeypatch.setattr(module.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("DISPLAY", ":1")
    (tmp_path / "portrait.jpg").touch()
    (tmp_path / "Ada.glb").touch()
    for number in range(5):
        (tmp_path / f"{number}.png").touch()
    return FakeScreen(tmp_path, asked)


def test_the_walk_is_three_clicks_to_the_head_then_everything_else(
    walked: FakeScreen, capsys: pytest.CaptureFixture[str]
) -> None:
    module.story(walked)
    done = walked.clicked
    assert done[:3] == ["Choose Photos", "portrait.jpg", "Create Head"]
    order = ["drag Open", "Key All", "Rendered", "drag Left", f"key {showing.F12}"]
    order += [f"key ctrl+{showing.F12}", "Export GLB", "Photos for ROME", "Mark as Asset"]
    places = [done.index(each) for each in order]
    assert places == sorted(places)
    assert done.count(f"key {making.UNDO}") == done.count(f"key {making.REDO}") == 2
    said = capsys.readouterr().out
    assert "clicks from photo to head: 3" in said
    assert all(f"done: {step.__name__}" in said for step in module.STEPS)
    numbers = [name[:2] for name in walked.saved]
    assert numbers == sorted(numbers) and len(numbers) == 23


def test_some_steps_can_be_walked_alone(walked: FakeScreen) -> None:
    module.story(walked, ["key_all"])
    assert "Key All" in walked.clicked and "drag Open" not in walked.clicked


def test_a_fourth_click_breaks_the_promise(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_more(screen: FakeScreen) -> None:
        screen.click((0, 0))
        screen.click((0, 0))

    monkeypatch.setattr(making, "create_head", two_more)
    with pytest.raises(StepFailed, match="4 clicks"):
        module.story(walked)


def test_a_preview_that_looks_the_same_is_a_failure(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walked, "pixels", lambda box: b"same")
    with pytest.raises(StepFailed, match="looks like Solid"):
        showing.preview(walked)
    with pytest.raises(StepFailed, match="did not follow the view"):
        showing.preview_through_camera(walked)
    with pytest.raises(StepFailed, match="did not follow the slider"):
        showing.preview_follows(walked)
    with pytest.raises(StepFailed, match="did not follow the brush"):
        showing.paint(walked)


def test_a_preview_that_does_not_come_back_is_a_failure(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[str] = []
    monkeypatch.setattr(showing, "ask", orders.append)
    monkeypatch.setattr(walked, "pixels", lambda box: b"gone" if orders else b"head")
    with pytest.raises(StepFailed, match="come back"):
        showing.lost_backend(walked)
    assert orders == ["lose the backend", "find the backend"]


def test_a_viewport_that_never_rests_is_a_failure(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = iter(range(999))
    monkeypatch.setattr(walked, "pixels", lambda box: bytes([next(pictures) % 256]))
    with pytest.raises(StepFailed, match="rest"):
        making.rest(walked, watch.seen)


def test_slow_drawing_is_a_failure(walked: FakeScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = QUIET | {"draws": [0.01, 0.2, 0.3]}
    monkeypatch.setattr(showing, "state", lambda: slow)
    with pytest.raises(StepFailed, match="waiting"):
        showing.orthographic(walked)


def test_painting_is_told_in_numbers_and_left_again(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orders: list[str] = []
    monkeypatch.setattr(showing, "ask", orders.append)
    monkeypatch.setattr(showing, "state", lambda: QUIET | {"draws": [0.01, 0.07, 0.02]})
    showing.paint(walked)
    assert orders == ["ready to paint", "done painting"]
    assert "3 drawings while painting: longest 0.0700 s" in capsys.readouterr().out


def test_a_missing_frame_is_a_failure(walked: FakeScreen, tmp_path: Path) -> None:
    (tmp_path / "3.png").unlink()
    with pytest.raises(StepFailed, match="wrote 4 frames"):
        showing.animate(walked)


def test_an_export_without_a_file_is_a_failure(walked: FakeScreen, tmp_path: Path) -> None:
    (tmp_path / "Ada.glb").unlink()
    with pytest.raises(StepFailed, match="GLB"):
        making.export_head(walked)
    assert walked.saved == ["15_export_file", "15_exporting"]


def test_a_second_head_in_spite_of_esc_is_a_failure(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter([QUIET, *[QUIET | {"heads": {"Ada": {}, "Bea": {}}}] * 9])
    monkeypatch.setattr(making, "state", lambda: next(states))
    with pytest.raises(StepFailed, match="Esc"):
        making.cancel_head(walked)


def test_what_is_far_down_is_scrolled_to(
    walked: FakeScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrolled: list[int] = []

    def find(phrase: str, box: object, seconds: float = 20.0) -> tuple[float, float]:
        if len(scrolled) < 4:
            raise StepFailed("not yet")
        return (1.0, 2.0)

    monkeypatch.setattr(walked, "scroll", lambda place, notches: scrolled.append(notches))
    monkeypatch.setattr(walked, "find", find)
    assert making.reveal(walked, "Mark as Asset") == (1.0, 2.0)
    assert scrolled[0] < 0 < scrolled[1] and len(scrolled) == 4


def test_a_refused_drop_is_a_failure(walked: FakeScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSource, "takes", False)
    with pytest.raises(StepFailed, match="did not take"):
        making.drop_photo(walked)


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

    def story(screen: FakeScreen, names: list[str]) -> None:
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
