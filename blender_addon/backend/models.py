# SPDX-License-Identifier: GPL-3.0-or-later
"""The face tracker's model files: asked about and fetched through the backend's own commands.

Does not know which files those are, nor bpy.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

from ..core_access import RomeError
from .install import CHECK, Report, offline
from .locate import Launch
from .run_child import run_child

INSTALLED = (
    "from rome_backend.assets.mediapipe import installed; "
    "from rome_backend.assets.store import AssetStore; print(installed(AssetStore()))"
)
SIZE = "36 MB to download, 3 MB on disk"
STAGE = "Fetching model files"


def are_installed(launch: Launch, cancel: threading.Event) -> bool:
    """Return whether the backend has its model files.

    Raises RomeError 'backend_unusable' where that Python cannot run the backend.
    """
    return _python(launch, INSTALLED, cancel)[-1] == "True"


def check(launch: Launch, cancel: threading.Event) -> str:
    """Return the version of a Python that has everything the backend needs.

    Raises RomeError 'backend_unusable' where it has not.
    """
    return _python(launch, CHECK, cancel)[-1]


def fetch(launch: Launch, online: bool, report: Report, cancel: threading.Event) -> None:
    """Fetch the model files unless they are there.

    Raises RomeError 'offline' where Blender may not use the internet, and what the backend
    says it could not do.
    """
    if are_installed(launch, cancel):
        return
    if not online:
        raise offline()
    report(STAGE, 0.0)
    command = [launch.command[0], "-m", "rome_backend", "assets", "fetch", "--json"]
    code, lines = run_child(command, launch.environment, lambda line: report(STAGE, 0.5), cancel)
    if code:
        raise _told(lines)
    report(STAGE, 1.0)


def _told(lines: Sequence[str]) -> RomeError:
    """Return the error that a command of the backend wrote as JSON."""
    for line in reversed(lines):
        if line.startswith("{"):
            try:
                error = json.loads(line)["error"]
                return RomeError(error["code"], error["message"], error["hint"])
            except (ValueError, KeyError, TypeError):
                continue
    return _unusable(lines)


def _python(launch: Launch, code: str, cancel: threading.Event) -> list[str]:
    command = [launch.command[0], "-c", code]
    exit_code, lines = run_child(command, launch.environment, lambda line: None, cancel)
    if exit_code or not lines:
        raise _unusable(lines)
    return lines


def _unusable(lines: Sequence[str]) -> RomeError:
    said = [line.strip() for line in lines if line.strip()]
    return RomeError(
        "backend_unusable",
        f"This Python cannot run the backend: {said[-1].rstrip('.') if said else 'no answer'}.",
        "Press Repair, or choose another Python.",
    )
