# SPDX-License-Identifier: Apache-2.0
"""The `rome` command: reads the command line, runs one command, turns errors into exit codes.

Does not know how any command works.

Exit codes: 0 ok, 1 failed, 2 usage, 3 photo refused, 4 model file missing, 5 out of memory or
disk, 130 cancelled.
"""

from __future__ import annotations

import argparse
import errno
import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

from rome_backend import __version__
from rome_backend.commands.console import Console, protected_stdout
from rome_backend.commands.shared_options import shared_options
from rome_backend.core.errors import Cancelled, OutOfResources, RomeError, UsageError

COMMANDS = ("create", "render", "export", "assets", "doctor", "bench", "demo", "serve")
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises the project's own usage error."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of exiting."""
        raise UsageError("usage", f"{message[:1].upper()}{message[1:]}.", f"See: {self.prog} -h")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line; every command adds its own part."""
    parser = _Parser(prog="rome", description="One photo becomes a rigged head for Blender.")
    parser.add_argument("--version", action="version", version=f"rome {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = shared_options()
    for name in COMMANDS:
        import_module(f"rome_backend.commands.{name}").add_parser(subparsers, shared)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rome command and return its exit code.

    Args:
        argv: the arguments after the program's name; by default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options, problem = build_parser().parse_args(arguments), None
    except UsageError as error:
        options, problem = None, error
    with protected_stdout() as out:
        if options is None:
            console = Console(out, "--json" in arguments)
            return _fail(console, problem or UsageError("usage", "Nothing to do."), False)
        level = logging.INFO if options.verbose else logging.WARNING
        logging.basicConfig(stream=sys.stderr, level=level, format="%(name)s: %(message)s")
        console = Console(out, options.json, quiet=options.quiet)
        return _guarded(lambda: options.run(options, console), console, options.debug)


def _guarded(command: Callable[[], int], console: Console, debug: bool) -> int:
    """Run a command; whatever it raises becomes one sentence, a next step and an exit code."""
    owns_signals = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGTERM, _interrupt) if owns_signals else None
    try:
        return command()
    except KeyboardInterrupt:
        return _fail(console, Cancelled(), debug)
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        return _fail(console, explained(error), debug)
    finally:
        if owns_signals:
            signal.signal(signal.SIGTERM, previous)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def explained(error: Exception) -> RomeError:
    """Return any exception as one of ours, with the exit code the command line promises."""
    if isinstance(error, RomeError):
        return error
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(t in str(error).lower() for t in OUT_OF_MEMORY)
    ):
        return OutOfResources(
            "out_of_memory", "There is not enough memory.", "Close other programs and try again."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfResources("disk_full", "The disk is full.", "Free some space and try again.")
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return RomeError(
            "file_problem", f"{error.strerror}{where}.", "Check the path and your permissions."
        )
    return RomeError(
        "internal_error",
        f"Something that should not happen did: {type(error).__name__}.",
        "Run the same command with --debug and report what it shows.",
    )


def _fail(console: Console, error: RomeError, debug: bool) -> int:
    console.error(error)
    if debug:
        traceback.print_exc(file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
