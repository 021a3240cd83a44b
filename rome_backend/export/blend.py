# SPDX-License-Identifier: Apache-2.0
"""Writes a rig as a .blend: a child Python with the bpy wheel runs the add-on's own builder.

Does not know bpy: the child does, so a crash or a full memory there cannot take us along.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import rome_backend
from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import AssetMissing, RomeError
from rome_backend.core.rig_file import save_rig
from rome_backend.core.types import RigArrays

Progress = Callable[[str, float], None]

PYTHON_VARIABLE = "ROME_BPY_PYTHON"
STAGE = "blend"
POLL_SECONDS = 0.05
USUAL_SECONDS = 5.0
LARGEST_GUESS = 0.98
# The child finds the project by this path alone: -P keeps the working folder out of sys.path.
BOOTSTRAP = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('blender_addon.rig', run_name='__main__', alter_sys=True)"
)

_log = logging.getLogger(__name__)


def write_blend(rig: RigArrays, path: Path | str, progress: Progress | None = None) -> None:
    """Write the rig as a compressed .blend with packed images; whole or not at all.

    progress(stage, fraction) is called while the child works and may raise (Cancelled, say): the
    child is ended then and nothing is written. The child is the Python of the environment
    variable ROME_BPY_PYTHON, else this one. Raises AssetMissing 'blender_missing' where that
    Python has no bpy, RomeError 'blend_failed' where the child fails, UsageError or
    OutOfResources where ``path`` cannot be written.
    """
    python = bpy_python()
    with tempfile.TemporaryDirectory(prefix="rome-blend-") as scratch:
        source, made = Path(scratch, "head.rig"), Path(scratch, "head.blend")
        save_rig(rig, source)
        _run_child(python, source, made, Path(scratch, "child.log"), progress)
        with replacing(path) as file, open(made, "rb") as finished:
            shutil.copyfileobj(finished, file)


def bpy_python() -> Path:
    """Return the Python that is to run Blender's module.

    Raises AssetMissing 'blender_missing' where there is none.
    """
    chosen = os.environ.get(PYTHON_VARIABLE)
    if chosen:
        if not os.access(chosen, os.X_OK) or Path(chosen).is_dir():
            raise _missing(f"{PYTHON_VARIABLE} names no program that can be run ('{chosen}').")
        return Path(chosen)
    if find_spec("bpy") is None:
        raise _missing("Writing a .blend needs Blender's Python module, which is not installed.")
    return Path(sys.executable)


def _missing(message: str) -> AssetMissing:
    return AssetMissing(
        "blender_missing",
        message,
        "Install it with 'pip install bpy==4.2.23' (Python 3.11), or let the environment "
        f"variable {PYTHON_VARIABLE} name a Python that has it.",
    )


def _run_child(
    python: Path, source: Path, made: Path, log: Path, progress: Progress | None
) -> None:
    root = Path(rome_backend.__file__).resolve().parents[1]
    command = [str(python), "-P", "-c", BOOTSTRAP, str(root), str(source), str(made)]
    with open(log, "wb") as output, _child(command, output) as child:
        started = time.monotonic()
        while child.poll() is None:
            if progress is not None:
                fraction = (time.monotonic() - started) / USUAL_SECONDS
                progress(STAGE, min(fraction, LARGEST_GUESS))
            time.sleep(POLL_SECONDS)
    lines = log.read_text("utf-8", errors="replace").splitlines()
    for line in lines:
        _log.info("bpy: %s", line)
    if child.returncode != 0 or not made.is_file():
        raise _explained(child.returncode, lines)
    if progress is not None:
        progress(STAGE, 1.0)


@contextmanager
def _child(command: list[str], output: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that ends, by its own will or by force, when the block does."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def _explained(code: int, lines: list[str]) -> RomeError:
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    if "No module named 'bpy'" in said:
        return _missing("The chosen Python does not have Blender's module (bpy).")
    return RomeError(
        "blend_failed",
        f"Blender's module could not build the head (exit code {code}: {said}).",
        "Run again with --verbose to see what it said, or export a .glb instead.",
    )
