# SPDX-License-Identifier: Apache-2.0
"""Timing in turns, and ratios of what was timed."""

from __future__ import annotations

import time

import pytest

from rome_backend.bench.rounds import Ratio, in_turns, ratio


def test_every_round_runs_each_way_once_in_turned_order() -> None:
    ran: list[str] = []
    ways = {name: (lambda name=name: ran.append(name)) for name in "abc"}
    seconds = in_turns(ways, 3)
    assert "".join(ran) == "abc" + "abc" + "cba" + "abc"
    assert {name: len(each) for name, each in seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_without_warm_up_the_first_run_counts() -> None:
    ran: list[int] = []
    in_turns({"a": lambda: ran.append(1)}, 2, warm_up=False)
    assert len(ran) == 2


def test_what_takes_longer_is_measured_as_longer() -> None:
    seconds = in_turns({"slow": lambda: time.sleep(0.03), "fast": lambda: None}, 2)
    assert min(seconds["slow"]) >= 0.03
    assert ratio(seconds["slow"], seconds["fast"]).low > 1


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([2.0, 8.0, 9.0], [1.0, 2.0, 1.0]) == Ratio(4.0, 2.0, 9.0)


def test_a_slow_way_timed_once_is_compared_with_every_round() -> None:
    assert ratio([8.0], [1.0, 2.0, 4.0]) == Ratio(4.0, 2.0, 8.0)


@pytest.mark.parametrize(("slow", "fast"), [([1.0, 2.0], [1.0]), ([1.0], []), ([], [1.0])])
def test_rounds_that_do_not_fit_are_refused(slow: list[float], fast: list[float]) -> None:
    with pytest.raises(ValueError, match="compared"):
        ratio(slow, fast)


def test_no_round_is_refused() -> None:
    with pytest.raises(ValueError, match="round"):
        in_turns({}, 0)
