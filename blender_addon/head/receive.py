# SPDX-License-Identifier: GPL-3.0-or-later
"""From an AvatarReady message to a head in the scene, in short steps.

Does not know how the message came.
"""

from __future__ import annotations

from collections.abc import Generator

import bpy

from ..core_access import AvatarReady, pack_steps, plain_words, rig_from_tensors
from ..rig.build import BuiltHead, build_steps, remove_head
from ..rig.update import Kept, update_steps
from .placement import place
from .stored_avatar import store


def new_head_steps(ready: AvatarReady) -> Generator[None, None, BuiltHead]:
    """Build the head of a message in the current scene, its avatar stored inside.

    Closing the generator takes everything back. Raises RomeError where the rig is not valid.
    """
    rig = rig_from_tensors(ready.rig, ready.rig_metadata)
    yield
    built = yield from build_steps(rig)
    complete = False
    try:
        packed = yield from pack_steps(ready.avatar)
        store(built.mesh, packed, ready.weights)
        place(built, bpy.context.scene)
        complete = True
    finally:
        if not complete:
            remove_head(built.collection)
    return built


def updated_head_steps(ready: AvatarReady, head: bpy.types.Object) -> Generator[None, None, Kept]:
    """Give an existing head the rig and the avatar of a message; return what was kept.

    Closing the generator before its last step leaves the head as it was.
    """
    rig = rig_from_tensors(ready.rig, ready.rig_metadata)
    yield
    packed = yield from pack_steps(ready.avatar)
    kept = yield from update_steps(head, rig)
    store(head, packed, ready.weights)
    return kept


def notes_of(ready: AvatarReady) -> tuple[str, ...]:
    """Return the message's warnings as sentences; an unknown code is spelled out."""
    return tuple(plain_words(code) for code in ready.warnings)
