# SPDX-License-Identifier: GPL-3.0-or-later
"""Which heads are in a scene and which one a person means.

Does not know panels or operators.
"""

from __future__ import annotations

import bpy

from ..rig.links import is_head, linked_part
from ..rig.read import armature_of


def heads_of(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the mesh objects of the scene's heads, by name."""
    return sorted((thing for thing in scene.objects if is_head(thing)), key=lambda head: head.name)


def active_head(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the head that is meant: the active object's, else the only one in the scene.

    The active object may be the head's mesh, armature, camera or anything parented to them.
    """
    thing = context.object if hasattr(context, "object") else None
    heads = heads_of(context.scene)
    if thing is not None:
        found = _head_of(thing, heads)
        if found is not None:
            return found
    return heads[0] if len(heads) == 1 else None


def _head_of(thing: bpy.types.Object, heads: list[bpy.types.Object]) -> bpy.types.Object | None:
    above: bpy.types.Object | None = thing
    while above is not None:
        for head in heads:
            if above == head or above == skeleton(head) or above == linked_part(head, "camera"):
                return head
        above = above.parent
    return None


def skeleton(head: bpy.types.Object) -> bpy.types.Object | None:
    """Return the head's armature, or None where an artist removed it."""
    try:
        return armature_of(head)
    except ValueError:
        return None


def is_editable(head: bpy.types.Object) -> bool:
    """Whether the head's data belong to this file and are not linked from another one."""
    return head.library is None and head.data.library is None


def collection_of(head: bpy.types.Object) -> bpy.types.Collection | None:
    """Return the collection that holds the head and its armature."""
    rig = skeleton(head)
    for collection in head.users_collection:
        if rig is None or collection in rig.users_collection:
            return collection
    return None
