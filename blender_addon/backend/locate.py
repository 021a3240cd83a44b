# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs the backend, and how it is started.

Does not know bpy; a person's choice is handed in.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core_access import RomeError
from .environment import ADDON, NAME, backend_source, environment_python
from .find_python import clean_environment

VARIABLE = "ROME_BACKEND_PYTHON"
LOG = "backend.log"
# As `rome serve` knows them.
DEVICES = ("auto", "cpu", "cuda")
LOG_LEVELS = ("warning", "info", "debug")


@dataclass(frozen=True)
class Choice:
    """What a person chose.

    python: the path of a Python that has the packages ("Use This Python"), or "";
    folder: where Set Up puts the private environment, and where the log goes, or None;
    interactive: somebody works in Blender meanwhile, so one core is left to it;
    device: what computes, one of DEVICES; log_level: how much it logs, one of LOG_LEVELS;
    addon: the folder of the add-on.
    """

    python: str = ""
    folder: Path | None = None
    interactive: bool = True
    device: str = DEVICES[0]
    log_level: str = "info"
    addon: Path = ADDON


@dataclass(frozen=True)
class Launch:
    """How to start a backend: command, environment, and the file for what it writes to stderr."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path


def find_backend(choice: Choice) -> Launch:
    """Return how to start the backend.

    In this order: the Python of the preferences, the private environment, ROME_BACKEND_PYTHON,
    the environment of a checkout. All but the private environment run the add-on's own copy of
    the backend. Raises RomeError: `python_missing` (a choice that is no file), `backend_missing`
    (nothing is set up).
    """
    log = (choice.folder or Path(tempfile.gettempdir()) / "rome_backend") / LOG
    source = str(backend_source(choice.addon).parent)
    if choice.python:
        return _launch(_existing(choice.python), source, choice, log)
    if choice.folder is not None:
        private = environment_python(choice.folder / NAME)
        if private.is_file():
            return _launch(private, "", choice, log)
    if variable := os.environ.get(VARIABLE, ""):
        return _launch(_existing(variable), source, choice, log)
    checkout = environment_python(choice.addon.parent / ".venv")
    if checkout.is_file() and (choice.addon.parent / "rome_backend").is_dir():
        return _launch(checkout, source, choice, log)
    raise RomeError(
        "backend_missing",
        "The backend is not set up yet.",
        "Press Set Up in the preferences of the add-on.",
    )


def _existing(chosen: str) -> Path:
    path = Path(chosen).expanduser()
    if not path.is_file():
        raise RomeError(
            "python_missing",
            f"There is no Python at {chosen}.",
            "Choose another one in the preferences of the add-on, or clear the field.",
        )
    return path


def _launch(python: Path, source: str, choice: Choice, log: Path) -> Launch:
    """Return the command of one Python; source: the folder to import from, "" for its own."""
    cores = os.cpu_count() or 1
    threads = str(max(1, cores - 1) if choice.interactive else cores)
    more = {
        "OMP_WAIT_POLICY": "passive",  # waiting threads must not take Blender's cores
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONSAFEPATH": "1",  # the folder Blender was started in is no place to import from
        "PYTHONUTF8": "1",
    }
    if source:
        more["PYTHONPATH"] = source
    options = ("--device", choice.device, "--log-level", choice.log_level)
    command = (str(python), "-m", "rome_backend", "serve", *options)
    return Launch(command, clean_environment(**more), log)
