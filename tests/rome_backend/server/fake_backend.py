# SPDX-License-Identifier: Apache-2.0
"""A real backend process with light work: what a job does is the text in DetectFaces.photo.

Does not load torch, so that tests of the process are quick.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

import numpy as np

from rome_backend.commands.console import protected_stdout
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.messages import DetectFaces, FacesFound, FrameReady, Message, RenderFrame
from rome_backend.server.jobs import Job
from rome_backend.server.serve import serve


def stray(job: Job) -> None:
    """Write to stdout in every way a library might."""
    print("ROME stray print", flush=True)
    os.write(1, b"ROME stray bytes\n")
    os.system("echo ROME stray child")
    if os.name == "posix":
        ctypes.CDLL(None).puts(b"ROME stray C")


def patient(job: Job) -> None:
    """Work for a long time, in short stages."""
    job.expect({f"stage {index}": 0.05 for index in range(400)})
    for index in range(400):
        job.enter(f"stage {index}")
        time.sleep(0.05)


def stubborn(job: Job) -> None:
    """Work for a long time without looking up."""
    job.expect({"stubborn": 60.0})
    job.enter("stubborn")
    time.sleep(60)


def refuse(job: Job) -> None:
    """Refuse the photo."""
    raise PhotoRefused("no_face", "No face.", "Another photo.")


def bug(job: Job) -> None:
    """Fail as a bug does."""
    raise ZeroDivisionError("a bug")


def memory(job: Job) -> None:
    """Fail as numpy does when memory is short."""
    raise MemoryError


def torch_memory(job: Job) -> None:
    """Fail as torch does when memory is short."""
    raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.")


def leave(job: Job) -> None:
    """Try to end the process."""
    sys.exit(3)


def die(job: Job) -> None:
    """End the process as the system's memory killer does."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def eat_stdin(job: Job) -> None:
    """Read what would be the next message."""
    assert os.read(0, 100) == b"" and sys.stdin is not None


def quick(job: Job) -> None:
    """Do nothing."""


WORK: dict[str, Callable[[Job], None]] = {
    work.__name__: work
    for work in (
        stray, patient, stubborn, refuse, bug, memory, torch_memory, leave, die, eat_stdin, quick,
    )
}  # fmt: skip


def detect(message: DetectFaces, job: Job) -> Message:
    """Do what the photo's name says."""
    WORK[message.photo](job)
    boxes, thumbnail = np.zeros((1, 4), np.float32), np.zeros((1, 1, 3), np.uint8)
    return FacesFound(message.request_id, 10, os.getpid(), boxes, thumbnail)


def render(message: RenderFrame, job: Job) -> Message:
    """Answer with a picture whose values are the request's number; viewport frames take 0.2 s."""
    if message.viewport:
        time.sleep(0.2)
    picture = np.full((message.height, message.width, 4), message.request_id, np.float32)
    return FrameReady(message.request_id, picture)


if __name__ == "__main__":
    with protected_stdout() as out:
        serve(out.buffer, {DetectFaces: detect, RenderFrame: render})
