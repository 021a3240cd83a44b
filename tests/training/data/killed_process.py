# SPDX-License-Identifier: Apache-2.0
"""A command of the training package that is killed in the middle of writing a file.

python killed_process.py WRITE COMMAND...: kill -9 in the middle of the file number WRITE.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rome_backend.core import atomic_file
from training.__main__ import main
from training.data import shards

_written = [0]


class _Dying:
    """Writes half of what it is given."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        self._stream.write(data[: len(data) // 2])
        self._stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def replacing(path: Path) -> Iterator[object]:
    _written[0] += 1
    with atomic_file.replacing(path) as stream:
        yield _Dying(stream) if _written[0] == int(sys.argv[1]) else stream


if __name__ == "__main__":
    shards.replacing = replacing  # type: ignore[assignment]
    sys.exit(main(sys.argv[2:]))
