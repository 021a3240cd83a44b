# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Python 3.11 on this machine that can make a virtual environment.

Does not know bpy, and makes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

WANTED = (3, 11)
PROBE = (
    "import ensurepip, json, platform, sys, venv; "
    "print(json.dumps([list(sys.version_info[:3]), sys.platform, platform.machine(), "
    "sys.maxsize > 2**32]))"
)
PROBE_SECONDS = 20.0
ADVICE = {
    "win32": "Install Python 3.11 for Windows (64 bit), for example: winget install "
    "Python.Python.3.11",
    "darwin": "Install Python 3.11, for example: brew install python@3.11",
    "linux": "Install Python 3.11 with venv, for example: apt install python3.11 python3.11-venv",
}
# A desktop program's PATH on a Mac holds none of the places where Python is usually installed.
_MAC_FOLDERS = (
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/Library/Frameworks/Python.framework/Versions/3.11/bin",
)


@dataclass(frozen=True)
class FoundPython:
    """A Python that can make an environment: how to start it, its version, and where it runs.

    system: its sys.platform; machine: its platform.machine().
    """

    command: tuple[str, ...]
    version: str
    system: str
    machine: str


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would bend another Python (PYTHON*)."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("PYTHON") and name != "__PYVENV_LAUNCHER__"
    }
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def candidates(home: Path | None = None) -> Iterator[tuple[str, ...]]:
    """Yield commands that may start Python 3.11: installed ones, then the Python we run in.

    Blender's own comes last: an environment made from it ends with that copy of Blender.
    """
    home = Path.home() if home is None else home
    for name in ("python3.11", "python3", "python"):
        if found := shutil.which(name):
            yield (found,)
    if os.name == "nt" and (launcher := shutil.which("py")):
        yield (launcher, "-3.11")
    if sys.platform == "darwin":
        yield from ((f"{folder}/python3.11",) for folder in _MAC_FOLDERS)
    program = "python.exe" if os.name == "nt" else "bin/python"
    for versions in (
        (home / ".pyenv" / "versions").glob("3.11*"),
        (home / ".local" / "share" / "uv" / "python").glob("cpython-3.11*"),
    ):
        yield from ((str(folder / program),) for folder in sorted(versions, reverse=True))
    yield (sys.executable,)


def probe(command: tuple[str, ...]) -> FoundPython | None:
    """Return what the command starts, or None unless it is a 64-bit Python 3.11 with venv."""
    try:
        answer = subprocess.run(
            [*command, "-c", PROBE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            timeout=PROBE_SECONDS,
            check=False,
        )
        version, system, machine, wide = json.loads(answer.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        return None
    if answer.returncode or tuple(version[:2]) != WANTED or not wide:
        return None
    return FoundPython(command, ".".join(map(str, version)), system, machine)


def find_python(commands: Iterable[tuple[str, ...]] | None = None) -> FoundPython | None:
    """Return the first of the commands (by default all candidates) that will do, or None."""
    tried = set()
    for command in candidates() if commands is None else commands:
        if command not in tried and (found := probe(command)) is not None:
            return found
        tried.add(command)
    return None


def advice() -> str:
    """Return how to install Python 3.11 on this system."""
    return ADVICE.get(sys.platform, ADVICE["linux"])
