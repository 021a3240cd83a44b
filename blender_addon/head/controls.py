# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's sliders and bones as numbers: reading, setting and keying them.

Does not know panels. Bones keep whatever rotation mode an artist gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import bpy
from mathutils import Euler, Quaternion

from ..core_access import JOINTS, is_identity_key
from ..rig.names import BASIS, key_group
from ..rig.properties import read_property
from .expressions import GROUPS
from .find import skeleton

# R = Ry(yaw) Rx(pitch) Rz(roll): Blender names the order from the first turn to the last.
ORDER = "ZXY"
OFFSETS = ("Hair", "Neck")


def key_blocks(head: bpy.types.Object) -> Mapping[str, bpy.types.ShapeKey]:
    """Return the head's shape keys by name, the Basis left out."""
    return {block.name: block for block in head.data.shape_keys.key_blocks if block.name != BASIS}


def expression_keys(head: bpy.types.Object) -> list[str]:
    """Return the names of the head's expression keys, in their order."""
    return [name for name in key_blocks(head) if key_group(name) in GROUPS]


def offset_keys(head: bpy.types.Object) -> list[str]:
    """Return the names of the head's hair and neck keys, in their order."""
    return [name for name in key_blocks(head) if key_group(name) in OFFSETS]


def identity_keys(head: bpy.types.Object) -> list[str]:
    """Return the names of the head's identity keys, in their order."""
    return [name for name in key_blocks(head) if is_identity_key(name)]


def driven_keys(head: bpy.types.Object) -> set[str]:
    """Return the names of keys that drivers set: nobody else can."""
    animation = head.data.shape_keys.animation_data
    paths = [curve.data_path for curve in animation.drivers] if animation else []
    return {path.split('"')[1] for path in paths if '"' in path}


def set_keys(head: bpy.types.Object, values: Mapping[str, float]) -> None:
    """Set the keys that the head has, within their sliders; keys it lacks are passed over."""
    blocks = key_blocks(head)
    for name, value in values.items():
        if name in blocks:
            block = blocks[name]
            block.value = min(max(float(value), block.slider_min), block.slider_max)


def photo_offsets(head: bpy.types.Object) -> dict[str, float]:
    """Return the hair and neck values that the photo gave, within their sliders."""
    blocks = key_blocks(head)
    fitted = read_property(head, "offset_coefficients", [])
    pairs = zip(offset_keys(head), fitted, strict=False)
    return {
        name: min(max(float(value), blocks[name].slider_min), blocks[name].slider_max)
        for name, value in pairs
    }


def photo_expression(head: bpy.types.Object) -> dict[str, float]:
    """Return the expression that the person had in the photo, jaw and gaze as keys.

    A head made by an older version has the fitted keys alone.
    """
    names = read_property(head, "expression_names", [])
    values = read_property(head, "source_expression", [])
    fitted = dict(zip(names, values, strict=False))
    return dict(read_property(head, "photo_keys", fitted))


def bone_rotation(head: bpy.types.Object, joint: str) -> Quaternion:
    """Return a bone's rotation; none where the bone or the armature is gone."""
    bone = _bone(head, joint)
    return Quaternion() if bone is None else bone.matrix_basis.to_quaternion()


def set_bone_rotation(head: bpy.types.Object, joint: str, rotation: Quaternion) -> None:
    """Set a bone's rotation in the mode it has."""
    bone = _bone(head, joint)
    if bone is None:
        return
    if bone.rotation_mode == "QUATERNION":
        bone.rotation_quaternion = rotation
    elif bone.rotation_mode == "AXIS_ANGLE":
        axis, angle = rotation.to_axis_angle()
        bone.rotation_axis_angle = (angle, *axis)
    else:
        bone.rotation_euler = rotation.to_euler(bone.rotation_mode, bone.rotation_euler)


def bone_angles(head: bpy.types.Object, joint: str) -> Euler:
    """Return a bone's pitch (x), yaw (y) and roll (z) in rad, by the project's convention."""
    return bone_rotation(head, joint).to_euler(ORDER)


def set_bone_angle(head: bpy.types.Object, joint: str, axis: int, angle: float) -> None:
    """Set one of a bone's angles (0 pitch, 1 yaw, 2 roll; rad) and keep the others."""
    angles = bone_angles(head, joint)
    angles[axis] = angle
    set_bone_rotation(head, joint, angles.to_quaternion())


def reset_bones(head: bpy.types.Object) -> None:
    """Put the head's bones at rest."""
    for joint in JOINTS:
        bone = _bone(head, joint)
        if bone is not None:
            set_bone_rotation(head, joint, Quaternion())
            bone.location = (0.0, 0.0, 0.0)


def key_all(head: bpy.types.Object, frame: float) -> int:
    """Key every slider that no driver sets and every bone of the head; return how many.

    Whose face it is does not move: a keyed identity slider would jump back at the next frame.
    """
    left_out = driven_keys(head) | set(identity_keys(head))
    names = [name for name in key_blocks(head) if name not in left_out]
    blocks = key_blocks(head)
    for name in names:
        blocks[name].keyframe_insert("value", frame=frame)
    bones = [bone for joint in JOINTS if (bone := _bone(head, joint)) is not None]
    for bone in bones:
        bone.keyframe_insert(rotation_path(bone), frame=frame, group=bone.name)
    if bones:
        bones[0].keyframe_insert("location", frame=frame, group=bones[0].name)
    return len(names) + len(bones)


def rotation_path(bone: bpy.types.PoseBone) -> str:
    """Return the property that holds a bone's rotation in the mode it has."""
    if bone.rotation_mode == "QUATERNION":
        return "rotation_quaternion"
    return "rotation_axis_angle" if bone.rotation_mode == "AXIS_ANGLE" else "rotation_euler"


def key_names(head: bpy.types.Object, names: Iterable[str]) -> list[str]:
    """Return those of the names that the head has a key for."""
    blocks = key_blocks(head)
    return [name for name in names if name in blocks]


def _bone(head: bpy.types.Object, joint: str) -> bpy.types.PoseBone | None:
    rig = skeleton(head)
    return None if rig is None or rig.pose is None else rig.pose.bones.get(joint)
