# SPDX-License-Identifier: GPL-3.0-or-later
"""From an AvatarReady message to a head in the scene, in short steps.

Does not know how the message came.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

import bpy

from ..core_access import AvatarReady, rig_from_tensors
from ..rig.build import BuiltHead, build_steps, remove_head
from ..rig.update import Kept, update_steps
from .placement import place
from .stored_avatar import pack_steps, store

# The same sentences as the command line's (rome_backend/commands/plain_words.py).
NOTES: Mapping[str, str] = {
    "colour_profile_ignored": "The photo's colour profile is damaged; colours may be off.",
    "eyes_hidden": "The eyes are hidden; what covers them is painted onto the head.",
    "face_covered": "A part of the face is covered; the cover is painted onto the head.",
    "face_cut_off": "A part of the face lies outside the photo; it is made up.",
    "face_small": "The face is small in the photo; the texture will be blurred.",
    "face_turned": "The face is turned far to the side; its other half is made up.",
    "face_uncertain": "This may not be a human face.",
    "low_detail": "The photo is blurred or blocky there; the texture will be, too.",
    "overexposed": "Much of the face is overexposed; its colours are lost.",
    "photo_reduced": "The photo is very large and was reduced first.",
    "photo_rotated": "The photo lay on its side or upside down and was turned.",
    "several_faces": "There are several faces; Face below chooses another.",
    "several_frames": "The file is an animation; its first frame was taken.",
    "underexposed": "The face is very dark; the texture will be noisy.",
}


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
        store(built.mesh, packed)
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
    store(head, packed)
    return kept


def notes_of(ready: AvatarReady) -> tuple[str, ...]:
    """Return the message's warnings as sentences; an unknown code is spelled out."""
    return tuple(NOTES.get(code, code.replace("_", " ")) for code in ready.warnings)
