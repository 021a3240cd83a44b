# SPDX-License-Identifier: GPL-3.0-or-later
"""What acts on the active head: presets, random expressions, mirror, reset and keying all.

Does not know the backend.
"""

from __future__ import annotations

from typing import ClassVar

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty
from mathutils import Quaternion

from ..core_access import JOINTS
from ..head.controls import (
    bone_rotation,
    expression_keys,
    identity_keys,
    key_all,
    key_blocks,
    key_names,
    offset_keys,
    photo_expression,
    photo_offsets,
    reset_bones,
    set_bone_rotation,
    set_keys,
)
from ..head.expressions import is_pair, opposite, preset, presets, random_expression
from ..head.find import active_head, is_editable

PHOTO = "As in the Photo"
PRESETS = tuple(
    (name.upper().replace(" ", "_"), name, f"Set the expression to: {name.lower()}")
    for name in (*presets(), PHOTO)
)
_PRESET_NAMES = {identifier: name for identifier, name, _ in PRESETS}
PARTS = (
    ("ALL", "Everything", "Expression and pose to rest; identity, hair and neck as fitted"),
    ("EXPRESSION", "Expression", "All expression sliders to zero"),
    ("OFFSETS", "Hair & Neck", "Hair and neck back to what the photo showed"),
    ("IDENTITY", "Identity", "All identity sliders back to the fitted face"),
    ("POSE", "Pose", "All bones to rest"),
)
WAYS = (
    ("SWAP", "Swap", "Swap the two sides of the face"),
    ("TO_RIGHT", "Left to Right", "Copy the left side of the face to the right"),
    ("TO_LEFT", "Right to Left", "Copy the right side of the face to the left"),
)
OPPOSITE_JOINTS = {"left_eye": "right_eye", "right_eye": "left_eye"}


def head_is_ready(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether there is a head to act on, and say in the tooltip what is missing."""
    head = active_head(context)
    if head is None:
        operator.poll_message_set("Select a head first")
    elif not is_editable(head):
        operator.poll_message_set("The head is linked from another file")
    return head is not None and is_editable(head)


class HeadTool:
    """Mixin of operators on the active head: poll, and execute through act()."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There is a head that can be changed."""
        return head_is_ready(cls, context)  # type: ignore[arg-type]

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Act on the active head."""
        head = active_head(context)
        assert head is not None
        self.act(head, context)
        head.data.shape_keys.update_tag()
        return {"FINISHED"}

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Do what the operator is for."""
        raise NotImplementedError


class ROME_OT_apply_preset(HeadTool, bpy.types.Operator):
    """Set all expression keys to those of a preset."""

    bl_idname = "rome.apply_preset"
    bl_label = "Preset"
    bl_description = "Set the expression of the head to a ready-made one"

    preset: EnumProperty(  # type: ignore[valid-type]
        name="Preset", description="Which expression", items=PRESETS
    )
    strength: FloatProperty(  # type: ignore[valid-type]
        name="Strength",
        description="How much of the expression",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Set every expression key: those of the preset, and zero for the others."""
        name = _PRESET_NAMES[self.preset]
        wanted = photo_expression(head) if name == PHOTO else preset(name)
        values = dict.fromkeys(expression_keys(head), 0.0)
        values |= {key: self.strength * value for key, value in wanted.items()}
        set_keys(head, values)


class ROME_OT_randomize(HeadTool, bpy.types.Operator):
    """Give the head a mild random expression."""

    bl_idname = "rome.randomize"
    bl_label = "Randomize"
    bl_description = "Give the head a mild random expression; the same seed gives the same one"

    seed: IntProperty(  # type: ignore[valid-type]
        name="Seed", description="Another seed gives another expression", min=0
    )
    strength: FloatProperty(  # type: ignore[valid-type]
        name="Strength",
        description="How far the sliders may go",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Every press of the button is another expression."""
        self.seed += 1
        return self.execute(context)

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Set the expression keys."""
        set_keys(head, random_expression(expression_keys(head), self.seed, self.strength))


class ROME_OT_reset(HeadTool, bpy.types.Operator):
    """Put sliders and bones back."""

    bl_idname = "rome.reset"
    bl_label = "Reset"
    bl_description = "Put the head's sliders and bones back to rest"

    part: EnumProperty(  # type: ignore[valid-type]
        name="Part", description="What to put back", items=PARTS
    )

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Reset what was asked for."""
        if self.part in ("ALL", "EXPRESSION"):
            set_keys(head, dict.fromkeys(expression_keys(head), 0.0))
        if self.part in ("ALL", "OFFSETS"):
            set_keys(head, dict.fromkeys(offset_keys(head), 0.0) | photo_offsets(head))
        if self.part in ("ALL", "IDENTITY"):
            set_keys(head, dict.fromkeys(identity_keys(head), 0.0))
        if self.part in ("ALL", "POSE"):
            reset_bones(head)


class ROME_OT_mirror(HeadTool, bpy.types.Operator):
    """Mirror expression and pose between the sides of the face."""

    bl_idname = "rome.mirror"
    bl_label = "Mirror"
    bl_description = "Mirror the expression and the bones between left and right"

    way: EnumProperty(  # type: ignore[valid-type]
        name="Way", description="From which side to which", items=WAYS
    )

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Mirror the sliders, and the bones when the sides are swapped."""
        names = expression_keys(head)
        blocks = key_blocks(head)
        old = {name: blocks[name].value for name in names}
        if self.way == "SWAP":
            set_keys(head, {name: old.get(opposite(name), 0.0) for name in names})
            _swap_bones(head)
            return
        target = "Right" if self.way == "TO_RIGHT" else "Left"
        halves = [name for name in names if is_pair(name) and name.endswith(target)]
        wanted = key_names(head, (opposite(name) for name in halves))
        set_keys(head, {opposite(name): old[name] for name in wanted})


def _swap_bones(head: bpy.types.Object) -> None:
    """Mirror every rotation in the plane between left and right, and swap the eyes."""
    old = {joint: bone_rotation(head, joint) for joint in JOINTS}
    for joint in JOINTS:
        turned = old[OPPOSITE_JOINTS.get(joint, joint)]
        mirrored = Quaternion((turned.w, turned.x, -turned.y, -turned.z))
        set_bone_rotation(head, joint, mirrored)


class ROME_OT_key_all(HeadTool, bpy.types.Operator):
    """Key everything of the head at the current frame."""

    bl_idname = "rome.key_all"
    bl_label = "Key All"
    bl_description = "Insert keyframes on all sliders and bones but the identity's at this frame"

    def act(self, head: bpy.types.Object, context: bpy.types.Context) -> None:
        """Insert the keyframes."""
        count = key_all(head, context.scene.frame_current)
        self.report({"INFO"}, f"{count} channels keyed")


CLASSES = (
    ROME_OT_apply_preset,
    ROME_OT_randomize,
    ROME_OT_reset,
    ROME_OT_mirror,
    ROME_OT_key_all,
)
