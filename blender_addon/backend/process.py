# SPDX-License-Identifier: GPL-3.0-or-later
"""One backend process: started, written to, read from, and certainly ended.

Does not know bpy, nor what the messages mean.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from io import RawIOBase
from pathlib import Path
from typing import Any, cast

from ..core_access import Message, RomeError, receive, send
from .locate import Launch

MAX_LOG_BYTES = 1 << 20
PIPE_BYTES = 1 << 20
END_SECONDS = 1.0
_TAIL_BYTES = 4096


class BackendProcess:
    """A running backend.

    It leads its own process group, has no window, and writes what is no message to its log. It
    ends by itself when this process does, because its stdin ends then.
    """

    def __init__(self, launch: Launch) -> None:
        """Start it; RomeError `backend_start` when the system cannot."""
        self.launch = launch
        try:
            with _log_file(launch.log) as errors:
                self._child = subprocess.Popen(
                    launch.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    env=dict(launch.environment),
                    bufsize=0,  # a buffer's lock would let a stuck write block end()
                    pipesize=PIPE_BYTES,
                    **_own_group(),
                )
        except OSError as error:
            raise RomeError(
                "backend_start",
                f"The backend cannot be started ({error.strerror or error}).",
                "Press Repair in the preferences of the add-on, or choose another Python.",
            ) from error
        assert self._child.stdin is not None and self._child.stdout is not None
        self._writing = self._child.stdin
        self._reading = cast(RawIOBase, self._child.stdout)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._child.pid

    def is_alive(self) -> bool:
        """Return whether it still runs."""
        return self._child.poll() is None

    def write(self, message: Message) -> None:
        """Send one message; OSError when it is gone, ValueError for what cannot be sent."""
        try:
            send(self._writing, message)
        except ValueError as error:
            if self._writing.closed:
                raise BrokenPipeError("the backend was ended") from error
            raise

    def read(self) -> Message | None:
        """Wait for the next message and return it; None at the end.

        Raises ProtocolError for what is no message, OSError when the pipe breaks.
        """
        return receive(self._reading)

    def end(self, seconds: float = END_SECONDS) -> int | None:
        """Close its stdin, give it some seconds, then kill its group; return the exit code."""
        with contextlib.suppress(OSError):
            self._writing.close()
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        try:
            return self._child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Close what read() reads from; for who reads."""
        self._reading.close()

    def kill(self) -> None:
        """Kill it and what it started, at once."""
        if self._child.poll() is not None:
            return
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        else:
            self._child.kill()

    def last_words(self) -> str:
        """Return the last line of its log, or ""."""
        try:
            with open(self.launch.log, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def _log_file(path: Path) -> Any:
    """Open the log for more lines; a long one becomes the old one first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > MAX_LOG_BYTES:
        # Another Blender may be writing to it, which keeps it in place on Windows.
        with contextlib.suppress(PermissionError):
            path.replace(path.with_suffix(".old.log"))
    return open(path, "ab")


def _own_group() -> dict[str, Any]:
    """Return what makes a child deaf to Blender's terminal and windowless on Windows."""
    if os.name == "posix":
        return {"start_new_session": True}
    flags = ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP")
    return {"creationflags": sum(getattr(subprocess, flag, 0) for flag in flags)}
