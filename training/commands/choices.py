# SPDX-License-Identifier: Apache-2.0
"""Checks of options that several commands share.

Does not know any command.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rome_backend.core.errors import FileInvalid, UsageError
from rome_backend.core.types import HeadModel

_LARGEST_SIDE = 1024


def check_side(options: argparse.Namespace) -> None:
    """Raise UsageError (`usage`) for a side or seed that makes no samples."""
    if not 1 <= options.side <= _LARGEST_SIDE or options.side % 2 or options.seed < 0:
        raise UsageError(
            "usage",
            f"The side is an even number up to {_LARGEST_SIDE}, the seed at least 0.",
            f"See: python -m training {options.command} -h",
        )


def check_head(settings: Mapping[str, Any], head: HeadModel) -> None:
    """Raise FileInvalid (`shards_of_another_head`) for the settings of another head's shards."""
    if settings.get("topology_id") != head.topology_id:
        raise FileInvalid(
            "shards_of_another_head", "These shards belong to another head model.",
            "Make the shards again.",
        )  # fmt: skip


def only(paths: list[Path], names: str | None) -> list[Path]:
    """Return the paths whose names begin like one of some, given with commas; all by default."""
    starts = tuple(names.split(",")) if names else ("",)
    kept = [path for path in paths if path.stem.startswith(starts)]
    if not kept:
        raise UsageError("no_clips", f"No clip is called {names}.", "Look at the folder.")
    return kept
