# SPDX-License-Identifier: Apache-2.0
"""Runs ``python -m training``: reads the command line, turns errors into exit codes.

Does not know how any command works.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from rome_backend.commands.console import Console, protected_stdout
from rome_backend.core.errors import Cancelled, RomeError
from training.commands.parser import build_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: those of the rome command."""
    options = build_parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    with protected_stdout() as out:
        console = Console(out, options.json, quiet=options.quiet)
        try:
            code: int = options.run(options, console)
        except KeyboardInterrupt:
            error: RomeError = Cancelled("Cancelled; what was finished is kept.")
        except RomeError as raised:
            error = raised
        else:
            return code
        console.error(error)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
