# SPDX-License-Identifier: Apache-2.0
"""What the walk knows of the watched Blender, and asking it for something.

Does not know Blender: the observer's files are made up.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.real_blender_inside import watch as module
from tools.real_blender_inside.screen import StepFailed

QUIET = {
    "regions": {"UI": [756, 81, 292, 616], "WINDOW": [2, 27, 1046, 670]},
    "heads": {}, "asked": 2, "notes": 7,
}  # fmt: skip


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The observer's file, and no waiting between looks."""
    path = tmp_path / "watch.json"
    monkeypatch.setattr(module, "WATCH", path)
    monkeypatch.setattr(module, "ASK", tmp_path / "ask.json")
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return path


def test_before_the_observer_began_nothing_is_known(watch: Path) -> None:
    assert module.state() == {}
    watch.write_text(json.dumps(QUIET))
    assert module.state() == QUIET
    assert module.sidebar() == (756, 81, 292, 616)
    assert module.viewport() == (2, 27, 1046, 670)


def test_what_is_seen_of_the_viewport_is_beside_the_sidebar(watch: Path) -> None:
    watch.write_text(json.dumps(QUIET))
    x, y, width, height = module.seen()
    assert x > 2 and y > 27 and x + width < 756 and y + height < 27 + 670
    assert width > 400 and height > 400


def test_waiting_ends_when_it_shows(watch: Path) -> None:
    watch.write_text(json.dumps(QUIET | {"heads": {"Ada": {}}}))
    assert module.wait("the head", lambda now: now["heads"], 5.0)["heads"] == {"Ada": {}}


def test_waiting_in_vain_says_what_for_and_what_there_is(watch: Path) -> None:
    watch.write_text(json.dumps(QUIET))
    with pytest.raises(StepFailed, match="the head did not happen within 0 s.*regions"):
        module.wait("the head", lambda now: now["heads"], 0.01)


def test_an_order_is_numbered_and_waited_for(watch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.write_text(json.dumps(QUIET))
    orders = []

    def obey(seconds: float) -> None:
        orders.append(json.loads(module.ASK.read_text()))
        watch.write_text(json.dumps(QUIET | {"asked": 3, "notes": 7 + 4 * len(orders)}))

    monkeypatch.setattr(module.time, "sleep", obey)
    module.ask("five frames")
    assert set(map(str, orders)) == {str({"number": 3, "name": "five frames"})}
    assert len(orders) >= 2  # once until it was done, once more until it could be seen


def test_breathing_waits_for_blender(watch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.write_text(json.dumps(QUIET))
    slept = []

    def tick(seconds: float) -> None:
        slept.append(seconds)
        watch.write_text(json.dumps(QUIET | {"notes": 7 + len(slept)}))

    monkeypatch.setattr(module.time, "sleep", tick)
    module.breathe()
    assert len(slept) == module.ROUNDS
