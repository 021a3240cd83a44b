# SPDX-License-Identifier: Apache-2.0
"""The command line of all commands.

Does not know what they do.
"""

from __future__ import annotations

import argparse

from training.commands.data import add_prepare
from training.commands.distill import add_distill
from training.commands.evaluate import add_evaluate
from training.commands.ship import add_ship
from training.commands.synthesize import add_synthesize
from training.commands.throughput import add_throughput
from training.commands.train import add_train


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Makes the networks' weights."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON object on stdout")
    shared.add_argument("--quiet", action="store_true", help="no progress on stderr")
    add_synthesize(commands, shared)
    add_prepare(commands, shared)
    add_train(commands, shared)
    add_evaluate(commands, shared)
    add_distill(commands, shared)
    add_ship(commands, shared)
    add_throughput(commands, shared)
    return parser
