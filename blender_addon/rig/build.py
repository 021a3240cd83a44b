# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a head from rig arrays: one collection with mesh, armature and camera.

Does not know files, the backend or the scene's settings.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from ..core_access import RigArrays
from .armature import bind, build_armature
from .camera import build_camera
from .drivers import add_drivers
from .material import add_materials
from .mesh import build_mesh
from .properties import write_properties


@dataclass(frozen=True)
class BuiltHead:
    """The objects of one head; references die with undo, so keep names across operators."""

    collection: bpy.types.Collection
    mesh: bpy.types.Object
    armature: bpy.types.Object
    camera: bpy.types.Object


def build_head(rig: RigArrays, collection_name: str | None = None) -> BuiltHead:
    """Build a head in a new collection of the current scene and return its objects.

    The head stands upright, facing -Y, in metres; the rig's origin (properties['origin'], below
    the neck) is the world's origin and no object carries a scale. Raises RomeError
    'camera_unsupported' where the photo's camera cannot be a Blender camera; nothing is left
    behind then.
    """
    camera = build_camera(rig)
    collection = bpy.data.collections.new(collection_name or rig.name)
    bpy.context.scene.collection.children.link(collection)
    armature = build_armature(rig, collection)
    mesh = build_mesh(rig)
    collection.objects.link(mesh)
    collection.objects.link(camera)
    add_materials(mesh, rig)
    bind(mesh, armature)
    add_drivers(mesh, armature, rig)
    write_properties(mesh, rig.properties)
    armature.select_set(False)
    mesh.select_set(True)
    bpy.context.view_layer.objects.active = mesh
    return BuiltHead(collection, mesh, armature, camera)
