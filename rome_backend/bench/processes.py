# SPDX-License-Identifier: Apache-2.0
"""Runs a command as a child and measures its time and peak memory.

Does not know what the command does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KIB = 1 if sys.platform != "darwin" else 1024  # ru_maxrss: KiB on Linux, bytes on macOS


@dataclass(frozen=True)
class ChildResult:
    """How a child ended: exit code, stdout, stderr, seconds, peak memory in MiB (None: unknown).

    The peak is that of the largest process of the child's tree that it waited for, and at least
    our own at the start of the child, which Linux counts along.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_mib: float | None


def run_child(
    command: Sequence[str], timeout: float, settings: Mapping[str, str] | None = None
) -> ChildResult:
    """Run a command to its end, or kill it after ``timeout`` seconds (code -9).

    settings: environment variables beside ours.
    """
    environment = {**os.environ, **(settings or {})}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment
        )
        code, peak = _wait(child, start + timeout)
        seconds = time.perf_counter() - start
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", errors="replace"))
    return ChildResult(code, texts[0], texts[1], seconds, peak)


def _wait(child: subprocess.Popen[bytes], deadline: float) -> tuple[int, float | None]:
    if not hasattr(os, "wait4"):
        try:
            return child.wait(max(deadline - time.perf_counter(), 0.0)), None
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(), None
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode, usage.ru_maxrss / KIB / 1024
        if time.perf_counter() > deadline:
            child.kill()
        time.sleep(0.02)


def own_peak_mib() -> float | None:
    """Return this process's peak memory in MiB, or None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB / 1024


def resident_mib() -> float | None:
    """Return this process's memory now in MiB, or None where the system does not tell."""
    return _told_mib("VmRSS")


def peak_resident_mib() -> float | None:
    """Return this process's own peak memory in MiB, or None where the system does not tell.

    Unlike own_peak_mib it does not count what its parent had when it was started.
    """
    return _told_mib("VmHWM")


def _told_mib(name: str) -> float | None:
    """Return a line of Linux's status of this process, kB there, in MiB."""
    try:
        lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    except OSError:
        return None
    told = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(told[0]) / 1024 if told else None
