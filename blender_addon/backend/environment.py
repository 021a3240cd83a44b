# SPDX-License-Identifier: GPL-3.0-or-later
"""The private environment on disk: where it lies, whether it is usable, and taking it away.

Does not know how it is made, nor bpy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from ..core_access import RomeError
from . import packages

NAME = "environment"
MARKER = "rome_environment.json"
LOCK = "set_up.lock"
ADDON = Path(__file__).resolve().parents[1]
_NEW, _OLD = ".new-", ".old-"


# Windows refuses paths of 260 characters unless told otherwise; the longest file of the packages
# (one of PyTorch's licences) has 167 below site-packages.
WINDOWS_LONGEST_FOLDER = 259 - 167 - len("\\.new-12345678\\Lib\\site-packages\\")


def place(wanted: Path, local: str, windows: bool) -> Path:
    """Return the folder for environment and logs: the wanted one, or a short one on Windows.

    local: the folder of a Windows user's local program data (LOCALAPPDATA), "" where unknown.
    """
    if windows and local and len(str(wanted)) > WINDOWS_LONGEST_FOLDER:
        return Path(local, "rome")
    return wanted


class State(Enum):
    """What is to be done with the environment; the value is the sentence people read."""

    ABSENT = "Not set up. Press Set Up"
    BROKEN = "Damaged. Press Repair"
    OUTDATED = "Made for another version of the add-on. Press Repair"
    READY = "Ready"


@dataclass(frozen=True)
class Marker:
    """What a finished environment says of itself: written last, so half a one says nothing.

    version: of the backend in it; packages: fingerprint of the list; python: version;
    size: bytes on disk.
    """

    version: str
    packages: str
    python: str
    size: int


def environment_python(environment: Path) -> Path:
    """Return the interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def site_packages(environment: Path) -> Path:
    """Return the folder that an environment's Python 3.11 imports from."""
    return environment / (
        "Lib/site-packages" if os.name == "nt" else "lib/python3.11/site-packages"
    )


def backend_source(addon: Path = ADDON) -> Path:
    """Return the folder of the rome_backend package that comes with the add-on.

    In the built extension it lies inside, in the checkout beside. Raises RomeError
    'backend_source_missing' where there is neither.
    """
    for folder in (addon / "backend_source" / "rome_backend", addon.parent / "rome_backend"):
        if (folder / "__init__.py").is_file():
            return folder
    raise RomeError(
        "backend_source_missing",
        "The add-on lacks the backend's files.",
        "Install the add-on again from its zip.",
    )


def version_in(source: Path) -> str:
    """Return the version that a rome_backend package states, without importing it."""
    text = (source / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return found[1] if found else ""


def read_marker(environment: Path) -> Marker | None:
    """Return what the environment says of itself, or None where it says nothing sensible."""
    try:
        marker = Marker(**json.loads((environment / MARKER).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return marker


def write_marker(environment: Path, marker: Marker) -> None:
    """Declare the environment finished."""
    (environment / MARKER).write_text(json.dumps(asdict(marker), indent=1), encoding="utf-8")


def state_of(folder: Path, version: str, *list_texts: str) -> State:
    """Return the state of the environment in ``folder`` for this backend version.

    list_texts: lists of packages, any of which it may be made of.
    """
    environment = folder / NAME
    if not environment.exists():
        return State.ABSENT
    marker = read_marker(environment)
    if marker is None or not environment_python(environment).exists():
        return State.BROKEN
    known = {packages.fingerprint(text) for text in list_texts}
    if marker.version != version or marker.packages not in known:
        return State.OUTDATED
    return State.READY


def size_on_disk(folder: Path) -> int:
    """Return the bytes of all files in a folder; links count as nothing."""
    found = 0
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink():
                found += path.stat().st_size
    return found


def new_folder(folder: Path, tag: str) -> Path:
    """Return where an environment is built before it gets its name."""
    return folder / f"{_NEW}{tag}"


def put_in_place(built: Path, folder: Path, tag: str) -> Path:
    """Give a finished environment its name in place of an older one; return its path.

    Raises RomeError 'environment_in_use' where the system keeps the older one; it stays then.
    """
    target, aside = folder / NAME, folder / f"{_OLD}{tag}"
    try:
        if target.exists():
            target.rename(aside)
        built.rename(target)
    except OSError as error:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise _in_use(error) from error
    shutil.rmtree(aside, ignore_errors=True)
    return target


def remove(folder: Path) -> int:
    """Delete the environment and what interrupted set-ups left; return the bytes it took.

    Raises RomeError 'environment_in_use' where the system does not let go of a file, and
    'set_up_running' as only_one does.
    """
    target = folder / NAME
    if not folder.exists():
        return 0
    with only_one(folder):
        clean_leftovers(folder)
        if not target.exists():
            return 0
        size = size_on_disk(target)
        aside = folder / f"{_OLD}removed"
        try:
            target.rename(aside)
            shutil.rmtree(aside)
        except OSError as error:
            raise _in_use(error) from error
    return size


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep every other Blender from changing the environment meanwhile.

    The system lets go of the lock when this process ends, however it ends. Raises RomeError
    'set_up_running' where another one has it.
    """
    with open(folder / LOCK, "ab") as file:
        try:
            _lock(file)
        except OSError as error:
            raise RomeError(
                "set_up_running",
                "Another Blender is setting up or removing the environment.",
                "Wait until it has finished, or cancel it there.",
            ) from error
        yield


def _lock(file: BinaryIO) -> None:
    """Lock a file until it is closed; OSError where somebody else has locked it."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def clean_leftovers(folder: Path) -> None:
    """Delete what interrupted set-ups left in the folder, as far as the system allows."""
    for pattern in (f"{_NEW}*", f"{_OLD}*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def _in_use(error: OSError) -> RomeError:
    return RomeError(
        "environment_in_use",
        f"The environment cannot be replaced or removed ({error.strerror or error}).",
        "Close every Blender that uses ROME, start one again and repeat.",
    )
