# SPDX-License-Identifier: Apache-2.0
"""Tests of fractions and seconds left: monotone, learned from former runs, robust to bad files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rome_backend.server.estimates import StageClock, StageSeconds


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_a_run_as_expected_counts_down_evenly() -> None:
    now = Clock()
    clock = StageClock({"a": 1.0, "b": 3.0}, now)
    clock.enter("a")
    assert clock.estimate() == (0.0, 4.0)
    now.time += 1.0
    clock.enter("b")
    assert clock.estimate() == pytest.approx((0.25, 3.0))
    now.time += 2.0
    assert clock.estimate() == pytest.approx((0.75, 1.0))
    assert clock.seconds() == pytest.approx({"a": 1.0, "b": 2.0})


def test_a_run_slower_than_expected_never_goes_back_nor_arrives_early() -> None:
    now = Clock()
    clock = StageClock({"a": 1.0, "b": 1.0}, now)
    clock.enter("a")
    seen = []
    for _ in range(50):
        now.time += 0.3
        seen.append(clock.estimate())
    clock.enter("b")
    seen.append(clock.estimate())
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions) and fractions[-1] < 1.0
    assert all(left is not None and left >= 0.0 for _, left in seen)


def test_a_stage_that_is_skipped_is_not_waited_for() -> None:
    clock = StageClock({"a": 5.0, "b": 1.0}, Clock())
    clock.enter("b")
    assert clock.estimate() == (0.0, 1.0)


def test_stages_that_come_again_add_up() -> None:
    now = Clock()
    clock = StageClock({"track": 2.0, "crop": 2.0, "fit": 1.0}, now)
    for stage in ("track", "crop", "track", "crop", "fit"):
        clock.enter(stage)
        now.time += 1.0
    assert clock.seconds() == pytest.approx({"track": 2.0, "crop": 2.0, "fit": 1.0})
    assert clock.estimate()[1] == pytest.approx(0.0)


def test_an_unknown_stage_has_no_seconds_left_to_tell() -> None:
    clock = StageClock({}, Clock())
    clock.enter("a")
    assert clock.estimate() == (0.0, None)


DEFAULT = {"a": 1.0, "b": 2.0}


def test_former_runs_are_remembered_and_the_newest_counts_most(tmp_path: Path) -> None:
    seconds = StageSeconds(tmp_path / "deep" / "seconds.json")
    assert seconds.expected("create", DEFAULT) == DEFAULT
    seconds.remember("create", {"b": 4.0})
    again = StageSeconds(tmp_path / "deep" / "seconds.json")
    assert again.expected("create", DEFAULT) == {"a": 1.0, "b": 4.0}
    again.remember("create", {"b": 8.0})
    assert again.expected("create", DEFAULT) == {"a": 1.0, "b": 6.0}
    assert again.expected("load", DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"create": 3}', '{"create": {"a": "x", "b": null}}', "[" * 100_000,
     '{"create": {"a": -1, "b": 1e300}}', '{"create": {"a": true, "b": NaN}}'],
)  # fmt: skip
def test_a_damaged_file_counts_as_none_and_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seconds.json"
    path.write_text(text)
    seconds = StageSeconds(path)
    assert seconds.expected("create", DEFAULT) == DEFAULT
    seconds.remember("create", {"a": 9.0})
    assert seconds.expected("create", DEFAULT) == {"a": 9.0, "b": 2.0}


def test_a_file_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seconds = StageSeconds(tmp_path / "file" / "seconds.json")
    seconds.remember("create", {"a": 1.0})
    assert seconds.expected("create", DEFAULT) == DEFAULT


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    seconds = StageSeconds(tmp_path / "seconds.json")
    for index in range(210):
        seconds.remember(f"kind {index}", {"a": 3.0})
    assert seconds.expected("kind 0", DEFAULT) == DEFAULT
    assert seconds.expected("kind 209", DEFAULT)["a"] == 3.0
