# SPDX-License-Identifier: Apache-2.0
"""`rome serve`: the backend that Blender's add-on starts and talks to over stdin and stdout.

Does not know the messages.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any, NoReturn

from rome_backend.commands.console import Console

SECONDS_FILE = "stage_seconds.json"


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `serve` to the command line."""
    parser = subparsers.add_parser(
        "serve",
        parents=[shared],
        help="the add-on's backend",
        description="Started by Blender's add-on; speaks binary messages on stdin and stdout.",
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write the log there")
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
    logging.getLogger("rome_backend").setLevel(logging.INFO)
    handlers = Handlers(StageSeconds(cache_dir() / SECONDS_FILE))
    serve(console.wire(), {**handlers.table(), **Frames().table()})
