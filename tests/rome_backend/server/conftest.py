# SPDX-License-Identifier: Apache-2.0
"""A backend process to talk to without the add-on's client, and handlers with light work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rome_backend.assets import mediapipe as mediapipe_module
from rome_backend.avatar import create as create_module
from rome_backend.avatar import heads as heads_module
from rome_backend.avatar.choices import Choice
from rome_backend.avatar.create import CreateOptions, CreateResult, Tools
from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import PROTOCOL, DetectFaces, Hello, Message, Progress, Welcome
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis
from rome_backend.server.estimates import StageSeconds
from rome_backend.server.handlers import Handlers


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


class Maker:
    """Stands in for create_avatar: goes through its stages and gives the small avatar."""

    def __init__(self, avatar: Avatar) -> None:
        self.avatar = avatar
        self.calls: list[tuple[list[Path], CreateOptions]] = []
        self.during: Callable[[], None] = lambda: None

    def __call__(
        self,
        photos: Sequence[Path],
        options: CreateOptions,
        progress: Callable[[str, float], None],
        cancelled: Callable[[], bool],
        tools: Tools,
    ) -> CreateResult:
        self.calls.append((list(photos), options))
        stages = ["set up", *["track", "crop"] * len(photos), "fit", "silhouette", "texture"]
        for index, stage in enumerate(stages):
            progress(stage, index / len(stages))
            if stage == "fit":
                self.during()
        progress("texture", 1.0)
        avatar = replace(self.avatar, name=photos[0].stem, warnings=("underexposed",))
        return CreateResult(avatar, 2, avatar.warnings, {}, 0, 0.9)


@pytest.fixture
def model(small_head: HeadModel, small_basis: OffsetBasis) -> tuple[HeadModel, OffsetBasis]:
    return small_head, small_basis


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch, model: tuple[HeadModel, OffsetBasis]) -> list[str]:
    """The heads whose tools were loaded."""
    loaded: list[str] = []

    def load_tools(head: str, *, choice: Choice, device: str) -> Tools:
        assert choice == Choice(head=head)  # nothing else is installed
        loaded.append(head)
        nothing: Any = None
        return Tools(*model, nothing, nothing, nothing)

    monkeypatch.setattr(create_module, "load_tools", load_tools)
    monkeypatch.setattr(mediapipe_module, "installed", lambda store: True)
    monkeypatch.setattr(heads_module, "load_head", lambda head: model)
    return loaded


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch, small_avatar: Avatar, loads: list[str]) -> Maker:
    made = Maker(small_avatar)
    monkeypatch.setattr(create_module, "create_avatar", made)
    return made


@pytest.fixture
def handlers(tmp_path: Path) -> Handlers:
    return Handlers(StageSeconds(tmp_path / "seconds.json"))
