# SPDX-License-Identifier: Apache-2.0
"""Measures what messages cost beside a bare pipe: frames asked for and got, and sent both ways.

Does not know rendering: the frames are ready before they are asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from io import RawIOBase
from pathlib import Path
from statistics import median
from typing import Any, cast

import numpy as np

import rome_backend
from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import PROTOCOL, FrameReady, Hello, RenderFrame, Welcome
from rome_backend.server.jobs import Job
from rome_backend.server.session import Session

VERTICES = 5023
PIPE_BYTES = 1 << 20  # as the add-on asks for
LIMIT_MS = 5.0
_PROGRAM = "import sys; from rome_backend.bench.pipe import child; child(*sys.argv[1:])"


class Child:
    """A program at the other end of two pipes, as the add-on starts the backend."""

    def __init__(self, mode: str, *numbers: int) -> None:
        root = str(Path(rome_backend.__file__).parents[1])
        command = [sys.executable, "-c", _PROGRAM, mode, *map(str, numbers)]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, pipesize=PIPE_BYTES,
            env={**os.environ, "PYTHONPATH": root},
        )  # fmt: skip
        self.writing = cast(RawIOBase, self._child.stdin)
        self.reading = cast(RawIOBase, self._child.stdout)

    def __enter__(self) -> Child:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.writing.close()
        self._child.wait(10)
        self.reading.close()


def bench_pipe(size: int, rounds: int) -> dict[str, Any]:
    """Return the bench's JSON payload; times are medians in ms, ratios are to the bare pipe.

    frame: a RenderFrame with a head's vertices out, a float RGBA frame of size x size px back;
    both_ways: that frame out and back.
    """
    picture = np.random.default_rng(0).random((size, size, 4), dtype=np.float32)
    frame = FrameReady(1, picture)
    points = np.zeros((VERTICES, 3), np.float32)
    eye = np.eye(4)
    request = RenderFrame(1, size, size, eye, eye, ("head",), (points,), (eye,))
    with ExitStack() as stack:
        frames, echo, bare, bare_both = (
            stack.enter_context(Child(*arguments))
            for arguments in (
                ("frames", size), ("echo",), ("bare", points.nbytes, picture.nbytes),
                ("bare", picture.nbytes, picture.nbytes),
            )
        )  # fmt: skip
        ways: dict[str, Callable[[], Any]] = {
            "frame": lambda: _ask(frames, request),
            "both_ways": lambda: _ask(echo, frame),
            "bare_frame": _Bare(bare, points.nbytes, picture.nbytes),
            "bare_both_ways": _Bare(bare_both, picture.nbytes, picture.nbytes),
        }
        _ask(frames, Hello(PROTOCOL, ""))
        times = _alternating(ways, rounds)
        np.testing.assert_array_equal(_ask(echo, frame).combined, picture)
    found = {name: median(values) for name, values in times.items()}
    return {
        "size": size,
        "rounds": rounds,
        "bytes": picture.nbytes,
        "frame_ms": round(found["frame"], 3),
        "both_ways_ms": round(found["both_ways"], 3),
        "bare_frame_ms": round(found["bare_frame"], 3),
        "bare_both_ways_ms": round(found["bare_both_ways"], 3),
        "frame_ratio": round(found["frame"] / found["bare_frame"], 3),
        "both_ways_ratio": round(found["both_ways"] / found["bare_both_ways"], 3),
        "limit_ms": LIMIT_MS,
    }


def _alternating(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time every way in turn, so that a busy machine is busy for all; ms, the first left out."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: values[1:] for name, values in times.items()}


def _ask(child: Child, message: Any) -> Any:
    send(child.writing, message)
    return receive(child.reading)


class _Bare:
    """Bytes out and bytes back, without messages."""

    def __init__(self, child: Child, out: int, back: int) -> None:
        self._child, self._out, self._back = child, bytes(out), bytearray(back)

    def __call__(self) -> None:
        _write(self._child.writing, self._out)
        _read(self._child.reading, self._back)


def _write(stream: RawIOBase, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[stream.write(view) or 0 :]


def _read(stream: RawIOBase, buffer: bytearray) -> bool:
    """Fill the buffer; False where the stream ends before."""
    view = memoryview(buffer)
    while view:
        count = stream.readinto(view) or 0
        if not count:
            return False
        view = view[count:]
    return True


def child(mode: str, *numbers: str) -> None:
    """Be the program at the other end: "frames" SIZE, "echo", or "bare" BYTES_IN BYTES_OUT."""
    with open(0, "rb", 0) as reading, open(1, "wb", 0) as writing:
        sizes = [int(number) for number in numbers]
        if mode == "frames":
            _answer_frames(reading, writing, sizes[0])
        elif mode == "echo":
            while (message := receive(reading)) is not None:
                send(writing, message)
        else:
            buffer, answer = bytearray(sizes[0]), bytes(sizes[1])
            while _read(reading, buffer):
                _write(writing, answer)


def _answer_frames(reading: RawIOBase, writing: RawIOBase, size: int) -> None:
    picture = np.zeros((size, size, 4), np.float32)

    def render(message: RenderFrame, job: Job) -> FrameReady:
        return FrameReady(message.request_id, picture)

    Session(reading, writing, {RenderFrame: render}, Welcome(PROTOCOL, "")).run()
