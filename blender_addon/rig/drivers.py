# SPDX-License-Identifier: GPL-3.0-or-later
"""Drivers that move the pose-corrective shape keys with the bones.

Does not know how the keys were made. FLAME multiplies each corrective with one entry of R - I
of a joint's rotation R; the drivers compute that entry from the bone's local quaternion, which
follows constraints and any rotation mode. Every expression is one that Blender evaluates
without Python, so no trust prompt appears.
"""

from __future__ import annotations

import bpy

from ..core_access import RigArrays, RigKey

_CHANNELS = (("w", "ROT_W"), ("x", "ROT_X"), ("y", "ROT_Y"), ("z", "ROT_Z"))
_ENTRIES = (
    ("-2*(y*y+z*z)", "2*(x*y-w*z)", "2*(x*z+w*y)"),
    ("2*(x*y+w*z)", "-2*(x*x+z*z)", "2*(y*z-w*x)"),
    ("2*(x*z-w*y)", "2*(y*z+w*x)", "-2*(x*x+y*y)"),
)


def add_drivers(mesh: bpy.types.Object, armature: bpy.types.Object, rig: RigArrays) -> None:
    """Drive each key that names a joint and an entry of R - I by that joint's bone."""
    for key in rig.keys:
        add_driver(mesh, armature, key)


def add_driver(mesh: bpy.types.Object, armature: bpy.types.Object, key: RigKey) -> None:
    """Drive one key, if it names a joint and an entry."""
    if key.driver is not None:
        joint, row, column = key.driver
        block = mesh.data.shape_keys.key_blocks[key.name]
        _drive(block, armature, joint, _ENTRIES[row][column])


def _drive(
    block: bpy.types.ShapeKey, armature: bpy.types.Object, joint: str, expression: str
) -> None:
    driver = block.driver_add("value").driver
    driver.type = "SCRIPTED"
    for name, channel in _CHANNELS:
        if name not in expression:
            continue
        variable = driver.variables.new()
        variable.name = name
        variable.type = "TRANSFORMS"
        target = variable.targets[0]
        target.id = armature
        target.bone_target = joint
        target.transform_type = channel
        target.transform_space = "LOCAL_SPACE"
        target.rotation_mode = "QUATERNION"
    driver.expression = expression
