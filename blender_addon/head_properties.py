# SPDX-License-Identifier: GPL-3.0-or-later
"""Sliders of the panel that set several things at once: both sides of a face, angles of bones.

Does not store anything: every slider reads and writes shape keys and bones, so that undo,
keyframes, files and people who never open the panel see the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, PointerProperty

from .head.controls import bone_angles, rotation_path, set_bone_angle
from .head.expressions import PAIRS, SIDES, readable
from .head.find import skeleton
from .head.overlay import set_confidence_shown, shows_confidence

PITCH, YAW, ROLL = 0, 1, 2
# name -> joints, axis, label, description, limit in rad
POSES: dict[str, tuple[tuple[str, ...], int, str, str, float]] = {
    "neck_nod": (("neck",), PITCH, "Nod", "Bend the neck forwards or backwards", 0.8),
    "neck_turn": (("neck",), YAW, "Turn", "Turn the head to its left or right", 1.2),
    "neck_tilt": (("neck",), ROLL, "Tilt", "Lean the head towards a shoulder", 0.7),
    "jaw_open": (("jaw",), PITCH, "Open", "Open the jaw by its joint", 0.6),
    "jaw_side": (("jaw",), YAW, "Side", "Move the jaw to its left or right", 0.3),
    "eyes_down": (
        ("left_eye", "right_eye"), PITCH, "Down", "Look down or up with both eyes", 0.6,
    ),
    "eyes_side": (
        ("left_eye", "right_eye"), YAW, "Side", "Look to the head's left or right", 0.8,
    ),
}  # fmt: skip


def _auto_keys() -> bool:
    scene = bpy.context.scene
    return scene is not None and scene.tool_settings.use_keyframe_insert_auto


def _halves(group: bpy.types.PropertyGroup, stem: str) -> list[bpy.types.ShapeKey]:
    keys = group.id_data.data.shape_keys
    found = [keys.key_blocks.get(stem + side) for side in SIDES] if keys else []
    return [block for block in found if block is not None]


def _both_getter(stem: str) -> Callable[[Any], float]:
    def get(group: bpy.types.PropertyGroup) -> float:
        halves = _halves(group, stem)
        return max((block.value for block in halves), default=0.0)

    return get


def _both_setter(stem: str) -> Callable[[Any, float], None]:
    def put(group: bpy.types.PropertyGroup, value: float) -> None:
        for block in _halves(group, stem):
            block.value = value
            if _auto_keys():
                block.keyframe_insert("value")

    return put


def _angle_getter(joint: str, axis: int) -> Callable[[Any], float]:
    def get(group: bpy.types.PropertyGroup) -> float:
        return bone_angles(group.id_data, joint)[axis]

    return get


def _angle_setter(joints: tuple[str, ...], axis: int) -> Callable[[Any, float], None]:
    def put(group: bpy.types.PropertyGroup, value: float) -> None:
        head = group.id_data
        rig = skeleton(head)
        for joint in joints:
            set_bone_angle(head, joint, axis, value)
            if _auto_keys() and rig is not None and joint in rig.pose.bones:
                bone = rig.pose.bones[joint]
                bone.keyframe_insert(rotation_path(bone))

    return put


class ROME_PG_head(bpy.types.PropertyGroup):
    """Sliders of one head, by shape key stem (both sides) and by pose."""


def _sliders() -> dict[str, Any]:
    found = {
        "show_confidence": BoolProperty(
            name="Show Confidence",
            description="Show where the photo saw the surface (white) instead of the texture",
            get=lambda group: shows_confidence(group.id_data),
            set=lambda group, shown: set_confidence_shown(group.id_data, shown),
        )
    }
    for stem in PAIRS:
        found[stem] = FloatProperty(
            name=readable(stem),
            description="Set the left and the right side alike",
            min=0.0,
            max=1.0,
            subtype="FACTOR",
            precision=3,
            get=_both_getter(stem),
            set=_both_setter(stem),
        )
    for name, (joints, axis, label, description, limit) in POSES.items():
        found[name] = FloatProperty(
            name=label,
            description=description,
            soft_min=-limit,
            soft_max=limit,
            min=-pi,
            max=pi,
            subtype="ANGLE",
            get=_angle_getter(joints[0], axis),
            set=_angle_setter(joints, axis),
        )
    return found


CLASSES = (ROME_PG_head,)
_added: list[str] = []


def register() -> None:
    """Give every object the sliders; they cost nothing on objects that are no heads.

    The sliders join the class afterwards and leave it before it is unregistered: Blender 4.2 as
    a module crashes at exit over callbacks that unregistering a class leaves behind.
    """
    for name, slider in _sliders().items():
        setattr(ROME_PG_head, name, slider)
        _added.append(name)
    bpy.types.Object.rome = PointerProperty(type=ROME_PG_head)


def unregister() -> None:
    """Take the sliders back."""
    del bpy.types.Object.rome
    while _added:
        delattr(ROME_PG_head, _added.pop())
