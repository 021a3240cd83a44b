# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses a built head by the numbers of a driving frame.

Does not know keyframes or where the numbers came from.
"""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Quaternion, Vector
from numpy.typing import ArrayLike

from ..core_access import JOINTS
from .read import armature_of


def apply_params(
    mesh: bpy.types.Object,
    expression: Mapping[str, float],
    pose: ArrayLike,
    translation: ArrayLike = (0.0, 0.0, 0.0),
) -> None:
    """Set expression keys and bones; keys that are not named keep their values.

    expression: key name -> value, clipped to the key's slider; pose (K, 3): axis-angle rad of
    each joint in the order of JOINTS; translation (3,) m in head space. Raises KeyError for a name
    the head has no shape key for and ValueError for a wrong number of rotations.
    """
    blocks = mesh.data.shape_keys.key_blocks
    for name, value in expression.items():
        block = blocks[name]
        block.value = min(max(float(value), block.slider_min), block.slider_max)
    bones = armature_of(mesh).pose.bones
    for joint, rotation in zip(JOINTS, np.asarray(pose, dtype=np.float64), strict=True):
        _rotate(bones[joint], rotation)
    bones[JOINTS[0]].location = Vector(np.asarray(translation, dtype=np.float64))


def _rotate(bone: bpy.types.PoseBone, rotation: np.ndarray) -> None:
    angle = float(np.linalg.norm(rotation))
    axis = Vector(rotation / angle) if angle > 0.0 else Vector((0.0, 1.0, 0.0))
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = Quaternion(axis, angle)
