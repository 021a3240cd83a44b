# SPDX-License-Identifier: Apache-2.0
"""Works through a long list in order, a step ahead on another thread, in bounded memory.

Does not know what the work is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_batches(items: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Yield lists of up to ``size`` consecutive items. Raises ValueError for a size under 1."""
    if size < 1:
        raise ValueError("a batch holds at least one item")
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def made_ahead(
    items: Iterable[Given], make: Callable[[Given], Made], ahead: int = 1
) -> Iterator[Made]:
    """Yield make(item) of each item, in order, made on one other thread.

    While the caller uses one result the next ``ahead`` are being made, never more; items are
    taken one by one on the caller's thread. What ``make`` raises is raised here in its turn;
    when the caller stops, what was not begun is dropped.
    """
    pending: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(1) as thread:
        try:
            for item in items:
                pending.append(thread.submit(make, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for waiting in pending:
                waiting.cancel()
