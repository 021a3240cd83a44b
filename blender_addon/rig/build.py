# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a head from rig arrays: one collection with mesh, armature and camera.

Does not know files, the backend or the scene's settings. It can be done in one go or in steps
that are each short enough for a window to stay alive.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import bpy

from ..core_access import RigArrays
from .armature import bind, build_armature
from .camera import camera_steps
from .drivers import add_drivers
from .links import link_parts
from .material import add_materials, head_images
from .mesh import build_surface, mesh_steps
from .offsets import store_offsets
from .properties import write_properties
from .signature import signature_steps, store_signatures


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
    steps = build_steps(rig, collection_name)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def build_steps(
    rig: RigArrays, collection_name: str | None = None
) -> Generator[None, None, BuiltHead]:
    """Do what build_head does, in steps; closing the generator takes back what was built.

    No undo may happen between two steps: it would invalidate the objects.
    """
    camera = yield from camera_steps(rig)
    collection = bpy.data.collections.new(collection_name or rig.name)
    complete = False
    try:
        collection.objects.link(camera)
        yield
        bpy.context.scene.collection.children.link(collection)
        armature = build_armature(rig, collection)
        mesh = build_surface(rig)
        collection.objects.link(mesh)
        yield
        yield from mesh_steps(mesh, rig)
        images = yield from head_images(rig)
        add_materials(mesh, rig, images)
        yield
        bind(mesh, armature)
        add_drivers(mesh, armature, rig)
        write_properties(mesh, rig.properties)
        link_parts(mesh, camera, images)
        yield
        signed = yield from signature_steps(rig)
        store_signatures(mesh, signed)
        store_offsets(mesh, rig)
        _select(mesh, armature)
        complete = True
    finally:
        if not complete:
            remove_head(collection)
    return BuiltHead(collection, mesh, armature, camera)


def _select(mesh: bpy.types.Object, armature: bpy.types.Object) -> None:
    armature.select_set(False)
    mesh.select_set(True)
    bpy.context.view_layer.objects.active = mesh


def remove_head(collection: bpy.types.Collection) -> None:
    """Remove a head's collection and everything that only it used."""
    objects = list(collection.objects)
    parts: list[bpy.types.ID] = [thing.data for thing in objects if thing.data is not None]
    materials = [
        material
        for thing in objects
        if thing.type == "MESH"
        for material in thing.data.materials
        if material is not None
    ]
    images = [image for thing in objects for image in _images(thing)]
    bpy.data.batch_remove([collection, *objects])
    for part in dict.fromkeys([*parts, *materials, *images]):
        if part.users == 0:
            bpy.data.batch_remove([part])


def _images(thing: bpy.types.Object) -> list[bpy.types.Image]:
    if thing.type == "CAMERA":
        return [shown.image for shown in thing.data.background_images if shown.image]
    if thing.type != "MESH":
        return []
    trees = [material.node_tree for material in thing.data.materials if material]
    nodes = [node for tree in trees if tree for node in tree.nodes]
    return [node.image for node in nodes if getattr(node, "image", None)]
