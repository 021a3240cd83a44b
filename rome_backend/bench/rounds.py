# SPDX-License-Identifier: Apache-2.0
"""Times several ways of doing one thing, in turns, so that all meet the same machine.

Does not know what is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Way = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How many times as fast: the median over the rounds, the lowest and the highest."""

    value: float
    low: float
    high: float


def in_turns(ways: Mapping[str, Way], rounds: int, warm_up: bool = True) -> dict[str, list[float]]:
    """Return each way's seconds (rounds,); every round runs each way once.

    The order is turned round every second round, so that none always follows the same one.
    warm_up: run each way once before. Raises ValueError for fewer than one round.
    """
    if rounds < 1:
        raise ValueError("at least one round is needed")
    if warm_up:
        for way in ways.values():
            way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        order = list(ways) if number % 2 == 0 else list(ways)[::-1]
        for name in order:
            start = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(slow: list[float], fast: list[float]) -> Ratio:
    """Return how many times as long ``slow`` took as ``fast``, round by round.

    Both hold the seconds of the same rounds; a slow way timed once is compared with every round.
    Raises ValueError where the numbers of rounds do not fit.
    """
    if len(slow) == 1:
        slow = slow * len(fast)
    if not fast or len(slow) != len(fast):
        raise ValueError(f"{len(slow)} rounds cannot be compared with {len(fast)}")
    each = [a / b for a, b in zip(slow, fast, strict=True)]
    return Ratio(median(each), min(each), max(each))
