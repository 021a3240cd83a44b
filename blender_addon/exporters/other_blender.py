# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the other Blender that exports a head, and takes what it made.

Does not know operators; safe on any thread but for the command, which asks this Blender.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import bpy

from ..backend.run_child import run_child
from ..core_access import RomeError
from .hand_over import RESULT

PROGRAM = Path(__file__).with_name("child.py")
STARTING, EXPORTING = "starting", "exporting"
READY_MARK = "rome: exporting"


def command(folder: Path) -> list[str]:
    """Return what starts another Blender of this version on a folder of hand_over_steps().

    Expressions of drivers are trusted there as far as they are here.
    """
    if not bpy.app.binary_path:
        return [sys.executable, str(PROGRAM), str(folder)]
    trust = "--disable-autoexec" if bpy.app.autoexec_fail else "--enable-autoexec"
    quiet = ["--background", "--factory-startup", trust]
    return [bpy.app.binary_path, *quiet, "--python", str(PROGRAM), "--", str(folder)]


def export_elsewhere(
    program: Sequence[str],
    folder: Path,
    report: Callable[[str, float], None],
    cancel: threading.Event,
) -> list[Path]:
    """Run the program to its end and return the files it made, the main one last.

    Raises Cancelled soon after ``cancel`` is set, the RomeError that the other Blender met, and
    'export_failed' where it ends without a word.
    """
    report(STARTING, 0.1)

    def read(line: str) -> None:
        if line.startswith(READY_MARK):
            report(EXPORTING, 0.4)

    code, lines = run_child(program, os.environ, read, cancel)
    try:
        result = json.loads((folder / RESULT).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _ended(code, lines) from error
    if "error" in result:
        raise RomeError(*result["error"])
    return [Path(file) for file in result["files"]]


def _ended(code: int, lines: Sequence[str]) -> RomeError:
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return RomeError(
        "export_failed",
        f"The Blender that exports ended with code {code} ({said[:200]}).",
        "Try again, or export from a script: that runs in this Blender.",
    )
