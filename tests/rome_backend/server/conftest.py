# SPDX-License-Identifier: Apache-2.0
"""A backend process to talk to, plainly and without the add-on's client."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import PROTOCOL, DetectFaces, Hello, Message, Progress, Welcome


class Talk:
    """A child process and what it says."""

    def __init__(self, command: list[str], root: Path, log: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                env=environment,
            )  # fmt: skip
        self.log = log
        self.progress: list[Progress] = []

    def say(self, message: Message) -> None:
        assert self.process.stdin is not None
        send(self.process.stdin, message)

    def hear(self) -> Any:
        """Return the next message that is no progress."""
        assert self.process.stdout is not None
        while isinstance(message := receive(self.process.stdout), Progress):
            self.progress.append(message)
        return message

    def ask(self, message: Message) -> Any:
        self.say(message)
        return self.hear()

    def greet(self) -> Welcome:
        welcome = self.ask(Hello(PROTOCOL, "test"))
        assert isinstance(welcome, Welcome)
        return welcome

    def wait_for_progress(self) -> Progress:
        assert self.process.stdout is not None
        message = receive(self.process.stdout)
        assert isinstance(message, Progress)
        return message

    def close(self) -> tuple[int, float]:
        """Close the pipe; return the exit code and the seconds until the child had ended."""
        assert self.process.stdin is not None
        start = time.perf_counter()
        self.process.stdin.close()
        return self.process.wait(20), time.perf_counter() - start


FAKE = Path(__file__).with_name("fake_backend.py")


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[[list[str]], Talk]]:
    """Start a backend with given arguments to Python; all are gone afterwards."""
    started: list[Talk] = []

    def run(arguments: list[str]) -> Talk:
        talk = Talk([sys.executable, *arguments], root, tmp_path / f"log{len(started)}")
        started.append(talk)
        return talk

    yield run
    for talk in started:
        talk.process.kill()
        talk.process.wait()
        for stream in (talk.process.stdin, talk.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def fake(start: Callable[[list[str]], Talk]) -> Talk:
    """A backend with light work that has said hello."""
    talk = start([str(FAKE)])
    talk.greet()
    return talk


@pytest.fixture
def detect() -> Callable[..., DetectFaces]:
    """Make a request whose work is named by a text (see fake_backend.py)."""

    def request(request_id: int, work: str) -> DetectFaces:
        return DetectFaces(request_id, work)

    return request
