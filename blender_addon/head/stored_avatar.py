# SPDX-License-Identifier: GPL-3.0-or-later
"""The avatar's file inside the .blend: compressed text on the head's mesh data.

Does not know what an avatar's file holds, nor how it becomes text. Text survives where Blender
cuts bytes at the first zero, and mesh data travel with copies, links and appends.
"""

from __future__ import annotations

import bpy

from ..core_access import Packed, RomeError, unpacked

AVATAR = "rome_avatar"
AVATAR_ID = "rome_avatar_id"
WEIGHTS = "rome_avatar_weights"


def store(mesh: bpy.types.Object, packed: Packed, weights: str = "") -> None:
    """Store a packed avatar on the mesh's data; weights: as neural_weights."""
    mesh.data[AVATAR_ID] = packed.key
    mesh.data[WEIGHTS] = weights
    mesh.data[AVATAR] = packed.text


def has_avatar(mesh: bpy.types.Object) -> bool:
    """Whether the head carries its avatar."""
    return AVATAR in mesh.data


def avatar_id(mesh: bpy.types.Object) -> str:
    """Return the stored avatar's id, "" where there is none."""
    return str(mesh.data.get(AVATAR_ID, ""))


def neural_weights(mesh: bpy.types.Object) -> str:
    """Return the id of the networks that draw the stored avatar, "" where none can."""
    return str(mesh.data.get(WEIGHTS, "")) if has_avatar(mesh) else ""


def stored_text(mesh: bpy.types.Object) -> str:
    """Return the stored avatar as the text that it is; RomeError 'avatar_missing' without one."""
    text = mesh.data.get(AVATAR)
    if text is None:
        raise RomeError(
            "avatar_missing",
            f"{mesh.name} carries no avatar.",
            "Create the head again from the photo, or load its .rome file.",
        )
    return str(text)


def text_of(key: str) -> str | None:
    """Return the text of the avatar with this id, whichever mesh of the file holds it."""
    for data in bpy.data.meshes:
        if data.get(AVATAR_ID) == key and AVATAR in data:
            return str(data[AVATAR])
    return None


def stored_avatar(mesh: bpy.types.Object) -> bytes:
    """Return the stored avatar's file.

    Raises RomeError 'avatar_missing' or 'avatar_damaged'.
    """
    return unpacked(stored_text(mesh), avatar_id(mesh), mesh.name)
