# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files that appear in a folder together, or not at all.

Does not know bpy or what the files hold.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..core_access import RomeError


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yield a new folder beside the target, gone afterwards with all that is left in it.

    Raises RomeError 'cannot_write' where the target's folder does not take it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.stem}-", dir=target.parent))
    except OSError as error:
        raise cannot_write(target, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(files: Sequence[Path], folder: Path) -> list[Path]:
    """Move staged files into the folder, the last one last, and return where they are.

    Files of the same names are replaced. Where one cannot be, those before it are put back as
    they were and RomeError 'cannot_write' is raised.
    """
    placed = [folder / file.name for file in files]
    with ExitStack() as undo:
        for file, final in zip(files, placed, strict=True):
            try:
                _keep_old(file, final, undo)
                os.replace(file, final)
            except OSError as error:
                raise cannot_write(final, error) from error
        undo.pop_all()
    return placed


def _keep_old(file: Path, final: Path, undo: ExitStack) -> None:
    if not final.exists():
        undo.callback(final.unlink, missing_ok=True)
        return
    old = file.with_name(f"{file.name}.old")
    shutil.copy2(final, old)
    undo.callback(os.replace, old, final)


def cannot_write(path: Path, error: OSError) -> RomeError:
    """Return the error of a file that could not be written."""
    reason = error.strerror or type(error).__name__
    return RomeError(
        "cannot_write",
        f"{path.name} could not be written: {reason}.",
        "Choose another folder, or make room there.",
    )
