# SPDX-License-Identifier: Apache-2.0
"""What a command says: one result on stdout, everything else on stderr.

Does not know any command.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, BinaryIO, TextIO

from rome_backend.core.errors import RomeError

BAR_WIDTH = 24


@contextmanager
def protected_stdout() -> Iterator[TextIO]:
    """Yield the real stdout as a text stream while file descriptor 1 points to stderr.

    A stray print, ours or a library's, C or Python, therefore never mixes with the result.
    """
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    stream = os.fdopen(os.dup(saved), "w", encoding="utf-8")
    try:
        with redirect_stdout(sys.stderr):
            yield stream
    finally:
        stream.close()
        _flush_c_library()
        os.dup2(saved, 1)
        os.close(saved)


def _flush_c_library() -> None:
    """Empty the C library's own buffer of stdout while it still leads to stderr."""
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)


class Console:
    """Speaks for one run of a command.

    Args:
        out: where the result goes; as_json: one JSON object instead of plain lines;
        err: where progress, warnings and errors go; quiet: no progress.
    """

    def __init__(
        self, out: TextIO, as_json: bool = False, err: TextIO | None = None, quiet: bool = False
    ) -> None:
        self.as_json = as_json
        self._out = out
        self._err = err or sys.stderr
        self._quiet = quiet
        self._bar_open = False
        self._stage = ""

    def result(self, payload: Mapping[str, Any], lines: Sequence[str]) -> None:
        """Write the command's one result: the payload as JSON, or the lines."""
        self._close_bar()
        if self.as_json:
            text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
        else:
            text = "\n".join(lines)
        if text:
            self._out.write(text + "\n")
            self._out.flush()

    def wire(self) -> BinaryIO:
        """Return the real stdout for bytes, for the one command that speaks no text."""
        return self._out.buffer

    def progress(self, stage: str, fraction: float) -> None:
        """Show how far a stage is (fraction in [0, 1]): a bar on a terminal, else a line each."""
        if self._quiet:
            return
        fraction = min(max(fraction, 0.0), 1.0)
        if self._err.isatty():
            full = round(fraction * BAR_WIDTH)
            bar = "#" * full + "-" * (BAR_WIDTH - full)
            self._err.write(f"\r[{bar}] {fraction:4.0%} {stage:<28}")
            self._err.flush()
            self._bar_open = True
        elif stage != self._stage:
            self._err.write(f"{fraction:4.0%} {stage}\n")
            self._err.flush()
        self._stage = stage

    def say(self, text: str) -> None:
        """Write one line to stderr."""
        self._close_bar()
        self._err.write(text + "\n")
        self._err.flush()

    def warn(self, text: str) -> None:
        """Write one warning to stderr."""
        self.say(f"warning: {text}")

    def error(self, error: RomeError, more: Mapping[str, Any] | None = None) -> None:
        """Tell an error: one sentence and the next step; as JSON, with ``more``, on stdout too."""
        self.say(f"error: {error.message}")
        if error.hint:
            self.say(f"       {error.hint}")
        if self.as_json:
            self.result({"error": error.as_dict(), **(more or {})}, [])

    def _close_bar(self) -> None:
        if self._bar_open:
            self._err.write("\n")
            self._bar_open = False
