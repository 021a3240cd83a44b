# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a linked or overridden head that depends on no other file.

Does not know what it is for. Blender writes no file of linked data; of a copy of all that a head
shows it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import bpy

from ..head.stored_avatar import AVATAR
from ..rig.names import PROPERTY_PREFIX
from .duplicate import Copies, copied, object_mode
from .textures import used_pictures


@contextmanager
def localised(
    context: bpy.types.Context, head: bpy.types.Object
) -> Iterator[list[bpy.types.Object]]:
    """Yield copies of the head and its armature that depend on no other file and override nothing.

    The head's own pictures and actions are copied too; what its bones are constrained to, or its
    drivers read elsewhere, stays where it is. Nothing of the copies is left afterwards.
    """
    with ExitStack() as undo:
        undo.enter_context(object_mode(context))
        copies = Copies()
        undo.callback(copies.remove)
        duplicate = copied(context.scene, head, copies)
        _own_pictures(duplicate.mesh, copies)
        _take_our_facts(head, duplicate.mesh)
        copies.make_local()
        parts = (duplicate.mesh, duplicate.armature)
        yield [part for part in parts if part is not None]

def _take_our_facts(head: bpy.types.Object, mesh: bpy.types.Object) -> None:
    """Give a copy what is known of the head, but for pointers and the avatar."""
    for source, target in ((head, mesh), (head.data, mesh.data)):
        for name, value in source.items():
            if name.startswith(PROPERTY_PREFIX) and name != AVATAR:
                target[name] = value


def _own_pictures(mesh: bpy.types.Object, copies: Copies) -> None:
    """Give a copy its own materials, and those their own pictures."""
    own: dict[bpy.types.Image, bpy.types.Image] = {}
    for slot in mesh.material_slots:
        if slot.material is not None:
            slot.material = copies.of(slot.material)
            for node in used_pictures(slot.material):
                if node.image not in own:
                    own[node.image] = copies.of(node.image)
                node.image = own[node.image]
