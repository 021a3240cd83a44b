# SPDX-License-Identifier: Apache-2.0
"""The backend process: takes stdin and stdout for the wire and keeps everybody else off them.

Does not know what the jobs do.
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
import threading
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from rome_backend import __version__
from rome_backend.assets.installed_weights import installed_weights
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import RomeError
from rome_backend.core.messages import PROTOCOL, Welcome
from rome_backend.server.jobs import Handler
from rome_backend.server.session import Session

_log = logging.getLogger(__name__)


def serve(
    writing: BinaryIO, handlers: Mapping[type[Any], Handler], device: str = "auto"
) -> NoReturn:
    """Answer messages from stdin until it ends; then end the process.

    It ends at once: unloading torch politely takes longer than the second that is promised.

    Args:
        writing: the real stdout; file descriptor 1 must already lead elsewhere.
        handlers: message type -> what answers it.
        device: what was chosen to compute, for the welcome.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for Blender; it closes the pipe
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # ends the process also while a job runs
    with _own_stdin() as reading:
        code = Session(reading, writing, handlers, _welcome(device)).run()
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _own_stdin() -> BufferedReader:
    """Return stdin's pipe and leave nothing on file descriptor 0, for us and for children."""
    reading = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return reading


def log_to(path: Path) -> None:
    """Send stderr, and stdout of those who print, to the end of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    with open(path, "ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)


def _welcome(device: str) -> Welcome:
    return Welcome(PROTOCOL, __version__, device, platform.python_version(), _weights())


def _weights() -> str:
    """Return the id of ROME's installed networks, "" where there are none to be had."""
    try:
        return installed_weights(AssetStore())
    except RomeError as error:  # much can be done without them, and what cannot will say so
        _log.warning("the installed networks are not known: %s", error)
        return ""
