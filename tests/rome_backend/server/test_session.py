# SPDX-License-Identifier: Apache-2.0
"""Tests of one conversation over pipes in this process: its end, and jobs that do not stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import (
    PROTOCOL,
    Cancel,
    DetectFaces,
    Failed,
    Hello,
    Progress,
    Shutdown,
    Welcome,
)
from rome_backend.server import session as session_module
from rome_backend.server.jobs import Job
from rome_backend.server.session import Session


class Line:
    """A session on a thread, and the other ends of its pipes."""

    def __init__(self, work: Any) -> None:
        inward, self._in = os.pipe()
        self._out, outward = os.pipe()
        self.writing = os.fdopen(self._in, "wb", 0)
        self.reading = os.fdopen(self._out, "rb")
        self._theirs = os.fdopen(inward, "rb"), os.fdopen(outward, "wb", 0)
        self.abandoned: list[int] = []
        self.codes: list[int] = []
        session = Session(
            *self._theirs, {DetectFaces: work}, Welcome(PROTOCOL, "1"), self.abandoned.append
        )
        self.thread = threading.Thread(target=lambda: self.codes.append(session.run()))
        self.thread.start()

    def say(self, *messages: Any) -> None:
        for message in messages:
            send(self.writing, message)

    def hear(self) -> Any:
        while isinstance(message := receive(self.reading), Progress):
            pass
        return message

    def close(self) -> None:
        self.writing.close()
        self.thread.join(10)
        for thread in threading.enumerate():
            if thread.name == "_read":  # else its stream is closed in the middle of reading
                thread.join(10)
        for stream in (self.reading, *self._theirs):
            stream.close()


STOP = threading.Event()


def endless(message: DetectFaces, job: Job) -> Any:
    """Work until the test is over, whoever cancels."""
    job.enter("endless")
    STOP.wait(10)
    return Failed(message.request_id, "late", "Late.")


@pytest.fixture
def line() -> Iterator[Line]:
    STOP.clear()
    made = Line(endless)
    made.say(Hello(PROTOCOL, "1"))
    assert made.hear() == Welcome(PROTOCOL, "1")
    yield made
    STOP.set()
    made.close()


def eventually(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_that_does_not_stop_at_the_end_of_the_pipe_is_abandoned(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.say(DetectFaces(1, "a"))
    assert isinstance(receive(line.reading), Progress)  # it runs now
    start = time.monotonic()
    line.writing.close()
    eventually(lambda: line.abandoned)
    assert line.abandoned == [0] and time.monotonic() - start < 1


def test_without_a_job_the_end_is_quiet(line: Line) -> None:
    line.writing.close()
    line.thread.join(5)
    assert line.codes == [0] and line.abandoned == []


def test_a_cancelled_job_that_never_stops_ends_the_process(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STUCK_SECONDS", 0.1)
    line.say(DetectFaces(1, "a"))
    assert isinstance(receive(line.reading), Progress)  # it runs now
    line.say(Cancel(1))
    assert line.hear().code == "cancelled"
    eventually(lambda: line.abandoned)
    assert set(line.abandoned) == {1}


def test_a_job_that_nobody_cancelled_may_take_its_time(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "STUCK_SECONDS", 0.1)
    line.say(DetectFaces(1, "a"))
    time.sleep(0.6)
    STOP.set()
    assert line.hear().code == "late" and not line.abandoned


def test_shutdown_cancels_what_waits(line: Line) -> None:
    line.say(DetectFaces(1, "a"), DetectFaces(2, "a"), Shutdown())
    codes = {line.hear().code for _ in range(2)}
    assert codes == {"cancelled"}


def test_nobody_listening_ends_it(line: Line) -> None:
    line.reading.close()
    line.say(DetectFaces(1, "a"))
    STOP.set()
    line.thread.join(5)
    assert line.codes == [0]


def test_a_stream_that_is_closed_on_this_side_ends_it_too(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", problems.append)
    line._theirs[1].close()
    line.say(DetectFaces(1, "a"))
    STOP.set()
    line.thread.join(5)
    assert line.codes == [0] and problems == []


class Deaf:
    """A stream that takes everything; `closed` as files have it."""

    closed = False

    def write(self, data: Any) -> int:
        return len(data)

    def flush(self) -> None:
        pass


def test_what_is_too_large_to_send_is_still_an_error() -> None:
    session = Session(Deaf(), Deaf(), {}, Welcome(PROTOCOL, "1"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too large"):
        session._send(Failed(1, "x", "y" * (1 << 24)))
