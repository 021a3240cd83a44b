# SPDX-License-Identifier: GPL-3.0-or-later
"""The avatar's file inside the .blend: compressed text on the head's mesh data.

Does not know what an avatar's file holds. Text survives where Blender cuts bytes at the first
zero, and mesh data travel with copies, links and appends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RomeError

AVATAR = "rome_avatar"
AVATAR_ID = "rome_avatar_id"
CHUNK = 1 << 20
LEVEL = 1
LIMIT = 1 << 30
Bytes = bytes | memoryview | NDArray[np.uint8]


def avatar_key(content: Bytes) -> str:
    """Return the id of an avatar's file: the same as the backend gives it."""
    return hashlib.sha256(content).hexdigest()[:32]


@dataclass(frozen=True)
class Packed:
    """An avatar's file as text, and its id."""

    text: str
    key: str


def pack_steps(content: Bytes) -> Generator[None, None, Packed]:
    """Compress an avatar's file in steps; nothing is stored."""
    packer = zlib.compressobj(LEVEL)
    packed = bytearray()
    view = memoryview(content).cast("B")
    for start in range(0, len(view), CHUNK):
        packed += packer.compress(view[start : start + CHUNK])
        yield
    packed += packer.flush()
    yield
    return Packed(base64.b64encode(packed).decode("ascii"), avatar_key(content))


def store(mesh: bpy.types.Object, packed: Packed) -> None:
    """Store a packed avatar on the mesh's data."""
    mesh.data[AVATAR_ID] = packed.key
    mesh.data[AVATAR] = packed.text


def has_avatar(mesh: bpy.types.Object) -> bool:
    """Whether the head carries its avatar."""
    return AVATAR in mesh.data


def avatar_id(mesh: bpy.types.Object) -> str:
    """Return the stored avatar's id, "" where there is none."""
    return str(mesh.data.get(AVATAR_ID, ""))


def stored_avatar(mesh: bpy.types.Object) -> bytes:
    """Return the stored avatar's file.

    Raises RomeError 'avatar_missing' or 'avatar_damaged'.
    """
    text = mesh.data.get(AVATAR)
    if text is None:
        raise RomeError(
            "avatar_missing",
            f"{mesh.name} carries no avatar.",
            "Create the head again from the photo, or load its .rome file.",
        )
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(base64.b64decode(text, validate=True), LIMIT)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise _damaged(mesh) from error
    if not unpacker.eof or avatar_key(content) != avatar_id(mesh):
        raise _damaged(mesh)
    return content


def _damaged(mesh: bpy.types.Object) -> RomeError:
    return RomeError(
        "avatar_damaged",
        f"The avatar inside {mesh.name} is damaged.",
        "Create the head again from the photo, or load its .rome file.",
    )
