# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that other programs give the bones of a head.

Does not know files. Only names change: bones, skin and animation stay as they are. The root
joint turns the whole head at the base of the neck, the neck joint the head upon it; programs with
whole bodies call these two neck and head.
"""

from __future__ import annotations

from collections.abc import Mapping

import bpy

ROME = "ROME"
BONES: Mapping[str, Mapping[str, str]] = {
    # VRM 1.0, humanoid bones (vrm-specification, VRMC_vrm-1.0/humanoid.md).
    "VRM": {
        "root": "neck",
        "neck": "head",
        "jaw": "jaw",
        "left_eye": "leftEye",
        "right_eye": "rightEye",
    },
    # Unreal's mannequin; it has no jaw and eyes: these are MetaHuman's facial joints.
    "UNREAL": {
        "root": "neck_01",
        "neck": "head",
        "jaw": "FACIAL_C_Jaw",
        "left_eye": "FACIAL_L_Eye",
        "right_eye": "FACIAL_R_Eye",
    },
    # Rigify's human meta-rig.
    "RIGIFY": {
        "root": "spine.004",
        "neck": "spine.006",
        "jaw": "jaw",
        "left_eye": "eye.L",
        "right_eye": "eye.R",
    },
}


def rename_bones(armature: bpy.types.Object, names: str) -> None:
    """Give an armature's bones the names of another program (a key of BONES).

    Blender renames vertex groups, drivers and the curves of the armature's actions along; bones
    that an artist added keep their names. Actions must be the armature's own.
    """
    table = BONES[names]
    bones = {bone.name: bone for bone in armature.data.bones if bone.name in table}
    # Two steps: one program's neck is another one's head.
    for number, bone in enumerate(bones.values()):
        bone.name = f"rome bone {number}"
    for old, bone in bones.items():
        bone.name = table[old]
