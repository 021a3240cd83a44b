# SPDX-License-Identifier: Apache-2.0
"""Files appear whole or not at all: written under a temporary name, then moved into place.

Does not know what is written.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import OutOfResources, UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of ``path`` when the block ends without error.

    Otherwise ``path`` stays as it was and nothing else stays behind. Raises OutOfResources
    (disk_full) when the disk or quota is full and UsageError (cannot_write) when the folder is
    absent or may not be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise _explained(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)


def _explained(error: OSError, target: Path) -> OutOfResources | UsageError:
    if error.errno in _FULL:
        return OutOfResources(
            "disk_full", f"There is no room to write {target.name}.", "Free some disk space."
        )
    return UsageError(
        "cannot_write",
        f"{target} cannot be written ({error.strerror or error}).",
        "Choose a folder that exists and that you may write to.",
    )
