# SPDX-License-Identifier: Apache-2.0
"""`rome serve`: the backend that Blender's add-on starts and talks to over stdin and stdout.

Does not know the messages.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any, NoReturn

from rome_backend import __version__
from rome_backend.commands.console import Console

SECONDS_FILE = "stage_seconds.json"
DEVICES = ("auto", "cpu", "cuda")
LOG_LEVELS = ("warning", "info", "debug")
LOG_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `serve` to the command line."""
    parser = subparsers.add_parser(
        "serve",
        parents=[shared],
        help="the add-on's backend",
        description="Started by Blender's add-on; speaks binary messages on stdin and stdout.",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write the log there")
    parser.add_argument(
        "--log-level", choices=LOG_LEVELS, default="info", help="what is logged of our own doings"
    )
    parser.add_argument(
        "--device", choices=DEVICES, default="auto", help="what draws and what runs networks"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> NoReturn:
    """Answer messages until stdin ends, then end the process."""
    from rome_backend.assets.store import cache_dir
    from rome_backend.server.estimates import StageSeconds
    from rome_backend.server.frames import Frames
    from rome_backend.server.handlers import Handlers
    from rome_backend.server.serve import log_to, serve

    if args.log is not None:
        log_to(args.log)
    level = logging.DEBUG if args.verbose else args.log_level.upper()
    logging.basicConfig(format=LOG_LINE, stream=sys.stderr, level=logging.WARNING, force=True)
    logging.getLogger("rome_backend").setLevel(level)
    logging.getLogger(__name__).info("rome %s, Python %s", __version__, sys.version.split()[0])
    handlers = Handlers(StageSeconds(cache_dir() / SECONDS_FILE), args.device)
    serve(console.wire(), {**handlers.table(), **Frames(args.device).table()}, args.device)
