# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program to its end line by line, and ends it with all its children on demand.

Does not know what the program does, nor bpy.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO

from ..core_access import Cancelled, RomeError

NAP_SECONDS = 0.1
END_SECONDS = 5.0
REMEMBERED_LINES = 200


def run_child(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    cancel: threading.Event,
    tick: Callable[[], None] = lambda: None,
) -> tuple[int, list[str]]:
    """Run the command; return its exit code and the last lines of what it wrote.

    on_line is called in this thread for every line of stdout and stderr, tick after every line
    and every NAP_SECONDS without one. Raises Cancelled within
    a moment after ``cancel`` is set, when the child and its children are gone, and RomeError
    'program_failed' where the program cannot be started.
    """
    if cancel.is_set():
        raise Cancelled()
    child = _start(command, environment)
    assert child.stdout is not None
    last: deque[str] = deque(maxlen=REMEMBERED_LINES)
    try:
        for line in _lines(child.stdout, cancel):
            if line is not None:
                last.append(line)
                on_line(line)
            tick()
        return child.wait(), list(last)
    finally:
        if child.poll() is None:
            end_tree(child)
        child.stdout.close()


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise RomeError(
            "program_failed",
            f"{command[0]} could not be started ({error.strerror or error}).",
            "Press Repair, or choose another Python.",
        ) from error


def _lines(stream: IO[str], cancel: threading.Event) -> Iterator[str | None]:
    """Yield the lines of the stream, None while none come; raise Cancelled when asked to."""
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            arrived.put(line.rstrip())
        arrived.put(None)

    threading.Thread(target=read, name="rome-child-output", daemon=True).start()
    while True:
        if cancel.is_set():
            raise Cancelled()
        try:
            line = arrived.get(timeout=NAP_SECONDS)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def end_tree(child: subprocess.Popen[str]) -> None:
    """End a child that run_child started, and everything that it started."""
    if os.name == "posix":
        os.killpg(child.pid, signal.SIGKILL)
    else:
        subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(child.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        child.kill()
    child.wait(END_SECONDS)
