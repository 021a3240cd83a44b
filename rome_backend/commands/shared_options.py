# SPDX-License-Identifier: Apache-2.0
"""The options that every command has.

Does not know any command.
"""

from __future__ import annotations

import argparse
from typing import Any


def shared_options(default: Any = False) -> argparse.ArgumentParser:
    """Return a parent parser of the options that every command has.

    default: argparse.SUPPRESS for a command of a command, which then overrides what stood
    before it only where an option is given.
    """
    shared = argparse.ArgumentParser(add_help=False)
    for name, text in (
        ("--json", "one JSON object on stdout"),
        ("--quiet", "no progress on stderr"),
        ("--verbose", "log what is done on stderr"),
        ("--debug", "show tracebacks of errors"),
    ):
        shared.add_argument(name, action="store_true", default=default, help=text)
    return shared
