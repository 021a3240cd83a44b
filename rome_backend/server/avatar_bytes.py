# SPDX-License-Identifier: Apache-2.0
"""Avatars to the bytes of their .rome files and back.

Does not know messages, nor what an avatar is used for.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rome_backend.core.types import U8

if TYPE_CHECKING:
    from rome_backend.core.types import Avatar


def avatar_of(data: bytes | U8) -> Avatar:
    """Return the avatar of a .rome file's bytes; FileInvalid as avatar.load_avatar."""
    from rome_backend.avatar.avatar import load_avatar

    with tempfile.TemporaryDirectory(prefix="rome-") as folder:
        path = Path(folder) / "avatar.rome"
        path.write_bytes(data if isinstance(data, bytes) else np.ascontiguousarray(data).data)
        return load_avatar(path)


def bytes_of(avatar: Avatar) -> bytes:
    """Return the bytes of an avatar's .rome file."""
    from rome_backend.avatar.avatar import save_avatar

    with tempfile.TemporaryDirectory(prefix="rome-") as folder:
        path = Path(folder) / "avatar.rome"
        save_avatar(avatar, path)
        return path.read_bytes()
