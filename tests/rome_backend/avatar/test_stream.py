# SPDX-License-Identifier: Apache-2.0
"""Working ahead: order, how far ahead, errors, an early end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from rome_backend.avatar.stream import in_batches, made_ahead


def test_batches_keep_the_order_and_the_last_one_is_short() -> None:
    assert list(in_batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(in_batches([], 3)) == []
    with pytest.raises(ValueError, match="at least one"):
        next(in_batches([1], 0))


def test_results_come_in_order_from_one_other_thread() -> None:
    threads = set()

    def make(number: int) -> int:
        threads.add(threading.get_ident())
        return number * number

    assert list(made_ahead(range(20), make)) == [number**2 for number in range(20)]
    assert len(threads) == 1 and threading.get_ident() not in threads


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_is_taken_than_is_allowed_ahead(ahead: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    for used, _ in enumerate(made_ahead(items(), str, ahead)):
        assert len(taken) <= used + 1 + ahead


def test_the_next_one_is_made_while_the_first_is_used() -> None:
    begun = [threading.Event() for _ in range(3)]

    def make(number: int) -> int:
        begun[number].set()
        return number

    results = made_ahead(range(3), make)
    assert next(results) == 0
    assert begun[1].wait(20)
    assert list(results) == [1, 2]


def test_an_error_comes_in_its_turn() -> None:
    def make(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    seen = []
    with pytest.raises(ValueError, match="two"):
        for result in made_ahead(range(5), make, 3):
            seen.append(result)
    assert seen == [0, 1]


def test_after_an_early_end_nothing_more_is_made() -> None:
    made: list[int] = []
    hold = threading.Event()

    def make(number: int) -> int:
        if number:
            hold.wait(20)
        made.append(number)
        return number

    results = made_ahead(range(100), make, 5)
    assert next(results) == 0
    hold.set()
    results.close()
    assert len(made) <= 6
    assert threading.active_count() < 50
