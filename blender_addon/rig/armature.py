# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones of a head, placed so that their rotations are FLAME's, unchanged.

Does not know shape keys or materials. Every bone points straight up with its Z axis along the
face's direction: its rest rotation is exactly the turn from head space to object space, so a
pose bone's quaternion is the joint's axis-angle rotation and the root's location is the head's
translation, both as numbers in head space.
"""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..core_access import RigArrays
from .names import armature_name
from .space import directions_to_object, origin_of, to_object

BONE_LENGTH = 0.03
MODIFIER = "Armature"


def build_armature(rig: RigArrays, collection: bpy.types.Collection) -> bpy.types.Object:
    """Return a new armature object in the collection, one bone per joint, in object mode.

    The collection must be part of the current view layer: bones are only editable there.
    """
    name = armature_name(rig.name)
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    collection.objects.link(armature)
    _enter_edit_mode(armature)
    _add_bones(armature.data, rig)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    armature.data.display_type = "STICK"
    return armature


def _enter_edit_mode(armature: bpy.types.Object) -> None:
    if bpy.context.object is not None and bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for other in bpy.context.selected_objects:
        other.select_set(False)
    armature.select_set(True)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")


def place_bones(
    armature: bpy.types.Object, names: Sequence[str], heads: NDArray[np.float64]
) -> None:
    """Move the named bones of an armature to heads (K, 3) m in object space; others stay.

    The armature must be part of the current view layer and not hidden.
    """
    _enter_edit_mode(armature)
    for name, head in zip(names, heads, strict=True):
        bone = armature.data.edit_bones.get(name)
        if bone is not None:
            _place(bone, head)
    bpy.ops.object.mode_set(mode="OBJECT")


def _heads(rig: RigArrays) -> NDArray[np.float64]:
    return to_object(rig.joints, origin_of(rig.properties))


def _place(bone: bpy.types.EditBone, head: NDArray[np.float64]) -> None:
    up = directions_to_object(np.array([0.0, BONE_LENGTH, 0.0]))
    bone.head = Vector(head)
    bone.tail = Vector(head + up)
    bone.align_roll(Vector(directions_to_object(np.array([0.0, 0.0, 1.0]))))


def _add_bones(data: bpy.types.Armature, rig: RigArrays) -> None:
    for name, head in zip(rig.joint_names, _heads(rig), strict=True):
        bone = data.edit_bones.new(name)
        _place(bone, head)
        bone.use_connect = False
    for name, parent in zip(rig.joint_names, np.asarray(rig.parents).tolist(), strict=True):
        if parent >= 0:
            data.edit_bones[name].parent = data.edit_bones[rig.joint_names[parent]]


def bind(mesh: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Parent the mesh to the armature and deform it by linear blend skinning."""
    mesh.parent = armature
    modifier = mesh.modifiers.new(MODIFIER, "ARMATURE")
    modifier.object = armature
    modifier.use_deform_preserve_volume = False
