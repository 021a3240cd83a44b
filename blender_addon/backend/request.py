# SPDX-License-Identifier: GPL-3.0-or-later
"""A request on its way to the backend, and what can go wrong with it, in words.

Does not know bpy, threads or processes.
"""

from __future__ import annotations

import queue
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any

from ..core_access import PROTOCOL, Failed, Message, Progress, RomeError, Welcome


class BackendFailed(RomeError):
    """What the backend answered with Failed: the same code, message, hint and exit code."""

    def __init__(self, failed: Failed) -> None:
        """Take over what the backend said."""
        super().__init__(failed.code, failed.message, failed.hint)
        self.exit_code = failed.exit_code


@dataclass(eq=False)
class Request:
    """One request on its way.

    request_id: its number; future: its answer, or a RomeError; progress: the newest one, for who
    looks now and then; events: gets every Progress, if there is one; carrier: the process that
    it was written to.
    """

    request_id: int
    events: queue.Queue[Progress] | None = None
    future: Future[Any] = field(default_factory=Future)
    progress: Progress | None = None
    carrier: object = None

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the answer and return it; raises its RomeError, or TimeoutError."""
        return self.future.result(timeout)

    def tell(self, progress: Progress) -> None:
        """Take in how far it is."""
        self.progress = progress
        if self.events is not None:
            self.events.put(progress)

    def finish(self, answer: Message | RomeError) -> None:
        """Complete the future, unless it is complete already."""
        try:
            if isinstance(answer, RomeError):
                self.future.set_exception(answer)
            else:
                self.future.set_result(answer)
        except InvalidStateError:
            return  # given up while its answer was on its way


def check_version(welcome: Welcome, version: str) -> None:
    """Raise RomeError `backend_version` unless add-on and backend speak the same protocol."""
    if welcome.protocol == PROTOCOL:
        return
    older = welcome.protocol < PROTOCOL
    raise RomeError(
        "backend_version",
        f"The backend ({welcome.version}) and the add-on ({version}) do not fit together.",
        "Press Repair in the preferences of the add-on."
        if older
        else "Install the newer version of the add-on.",
    )


def no_start(last_words: str) -> RomeError:
    """Return the error of a backend that ended before it said anything."""
    said = f": {last_words}" if last_words else "."
    return RomeError(
        "backend_start",
        f"The backend does not start{said}",
        "Press Repair in the preferences of the add-on, or choose another Python.",
    )


def died() -> RomeError:
    """Return the error of a request whose backend ended."""
    return RomeError(
        "backend_died",
        "The backend ended in the middle of its work.",
        "Do it again; the backend starts anew. If it happens again, look into its log.",
    )
