# SPDX-License-Identifier: Apache-2.0
"""What a run leaves to look at: its losses, a line per step, and TensorBoard's records.

Does not know what is trained.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from rome_backend.core.atomic_file import replacing

_LOG = logging.getLogger(__name__)
LOSSES = "losses.jsonl"
_MOST_PICTURES = 8


class Journal:
    """The records of a run from ``step`` on; what an earlier run wrote after it is taken out."""

    def __init__(self, folder: Path, step: int) -> None:
        self._path = folder / LOSSES
        kept = [row for row in read_losses(folder) if row["step"] < step]
        with replacing(self._path) as stream:
            stream.writelines(_line(row) for row in kept)
        self._board: Any = None
        if find_spec("tensorboard") is None:
            _LOG.warning("no TensorBoard records: install the extra 'train' for them")
        else:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "board"), purge_step=step)

    def losses(self, step: int, values: Mapping[str, float]) -> None:
        """Record the losses of a step."""
        with self._path.open("ab") as stream:
            stream.write(_line({"step": step, **values}))
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"losses/{name}", value, step)

    def pictures(self, step: int, found: torch.Tensor, wanted: torch.Tensor) -> None:
        """Record predictions (N, 3, H, W) over their truths, as one picture."""
        if self._board is not None:
            rows = [torch.cat(list(each[:_MOST_PICTURES]), dim=2) for each in (found, wanted)]
            self._board.add_image("found over wanted", torch.cat(rows, dim=1).clamp(0, 1), step)

    def close(self) -> None:
        """Write what is still held back."""
        if self._board is not None:
            self._board.close()


def read_losses(folder: Path) -> list[dict[str, float]]:
    """Return the recorded losses, a mapping per step; a last line cut short is left out."""
    path = folder / LOSSES
    if not path.exists():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _line(row: Mapping[str, float]) -> bytes:
    return (json.dumps(row) + "\n").encode()
