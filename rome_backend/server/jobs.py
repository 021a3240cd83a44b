# SPDX-License-Identifier: Apache-2.0
"""Jobs: one request each, queued, run one after the other, cancelled, answered exactly once.

Does not know pipes, nor what any job does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rome_backend.cli import explained
from rome_backend.core.errors import Cancelled, RomeError
from rome_backend.core.messages import Failed, Message, Progress
from rome_backend.server.estimates import StageClock

_log = logging.getLogger(__name__)
Send = Callable[[Message], None]


class Request(Protocol):
    """A message that wants an answer."""

    @property
    def request_id(self) -> int:
        """Number that the answer repeats."""


class Job:
    """One request on its way: where it is, whether it is still wanted, and its one answer."""

    def __init__(self, message: Any, send: Send) -> None:
        self.message = message
        self.request_id: int = message.request_id
        self._send = send
        self._cancelled_at: float | None = None
        self._answered = False
        self._lock = threading.Lock()
        self._clock = StageClock({})

    def expect(self, seconds: Mapping[str, float]) -> None:
        """Say which stages will come, in order, and how many seconds each may take."""
        self._clock = StageClock(seconds)

    def enter(self, stage: str) -> None:
        """Begin a stage and tell; Cancelled when the job is no longer wanted."""
        self.check()
        self._clock.enter(stage)
        self.tell()

    def tell(self) -> None:
        """Send how far the job is, if it is in a stage and not answered yet."""
        clock = self._clock
        if clock.stage:
            event = Progress(self.request_id, clock.stage, *clock.estimate())
            with self._lock:
                if not self._answered:
                    self._send(event)

    def seconds(self) -> dict[str, float]:
        """Return the seconds spent per stage."""
        return self._clock.seconds()

    def check(self) -> None:
        """Raise Cancelled when the job is no longer wanted."""
        if self.is_cancelled():
            raise Cancelled

    def is_cancelled(self) -> bool:
        """Return whether the job is no longer wanted."""
        return self._cancelled_at is not None

    def seconds_since_cancel(self) -> float:
        """Return for how long it has not been wanted; 0 while it is."""
        return 0.0 if self._cancelled_at is None else time.monotonic() - self._cancelled_at

    def cancel(self, error: RomeError | None = None) -> None:
        """Answer at once that it is over; the work stops before its next stage."""
        if self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
        self.fail(error or Cancelled())

    def answer(self, message: Message) -> None:
        """Send the answer unless there was one already.

        Raises ValueError for an answer that cannot be sent; the job then still has none.
        """
        with self._lock:
            if not self._answered:
                self._send(message)
                self._answered = True

    def fail(self, error: RomeError) -> None:
        """Answer with an error."""
        facts = (error.code, error.message, error.hint, error.exit_code)
        self.answer(Failed(self.request_id, *facts))


Handler = Callable[[Any, Job], Message]


def run_job(job: Job, handler: Handler) -> None:
    """Run one job to its answer; whatever goes wrong is its answer and nothing more."""
    name, start = type(job.message).__name__, time.monotonic()
    try:
        job.answer(handler(job.message, job))
        _log.log(_level(job), "%s took %.2f s", name, time.monotonic() - start)
    except Cancelled as error:
        _log.log(_level(job), "%s cancelled after %.2f s", name, time.monotonic() - start)
        job.fail(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary of a job
        problem = _explained(error)
        expected = isinstance(error, RomeError)
        _log.warning("%s failed: %s", name, problem.code, exc_info=None if expected else error)
        job.fail(problem)


def _level(job: Job) -> int:
    """Return how much a job's end matters to who reads the log; viewport frames are too many."""
    return logging.DEBUG if getattr(job.message, "viewport", False) else logging.INFO


def _explained(error: Exception | SystemExit) -> RomeError:
    if isinstance(error, SystemExit):
        error = RuntimeError("something wanted to end the backend")
    problem = explained(error)
    if problem.code == "internal_error":
        problem.hint = "Try again; if it happens again, report it with the backend's log file."
    return problem


class JobQueue:
    """Jobs in order of arrival; a viewport frame takes the place of older ones still waiting."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, job: Job) -> None:
        """Add a job; it is cancelled at once when the queue is closed."""
        old: list[Job] = []
        with self._changed:
            if self._closed:
                old = [job]
            else:
                old = [each for each in self._waiting if _replaces(job, each)]
                self._waiting = deque(each for each in self._waiting if each not in old)
                self._waiting.append(job)
                self._changed.notify()
        for each in old:
            replaced = RomeError("replaced", "A newer frame took this one's place.")
            each.cancel(None if each is job else replaced)

    def take(self) -> Job | None:
        """Wait for the next job and return it; None once the queue is closed."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.popleft()
            return self._running

    def running(self) -> Job | None:
        """Return the job that runs now."""
        return self._running

    def cancel(self, request_id: int) -> None:
        """Cancel the job of a request, waiting or running; an unknown one is no matter."""
        for job in self._take_out(lambda job: job.request_id == request_id):
            job.cancel()

    def close(self) -> None:
        """Cancel everything and let no more in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for job in self._take_out(lambda job: True):
            job.cancel()

    def _take_out(self, wanted: Callable[[Job], bool]) -> list[Job]:
        """Remove waiting jobs and return them, with the running one if it is wanted."""
        with self._changed:
            found = [job for job in self._waiting if wanted(job)]
            self._waiting = deque(job for job in self._waiting if job not in found)
            if self._running is not None and wanted(self._running):
                found.append(self._running)
            return found


def _replaces(new: Job, old: Job) -> bool:
    return bool(getattr(new.message, "viewport", False) and getattr(old.message, "viewport", False))
