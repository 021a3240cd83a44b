# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets, random expressions, mirror, reset, and keying everything of the active head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core_access import is_identity_key
from blender_addon.head.controls import bone_angles, key_blocks, set_bone_angle
from blender_addon.head.expressions import PAIRS, is_pair, opposite

MIDDLE = (
    "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker",
    "mouthLeft", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "browInnerUp", "cheekPuff",
)  # fmt: skip


@pytest.fixture(scope="session")
def rig(rig):
    """The small head's rig with all 51 expressions, which all look alike."""
    names = [stem + side for stem in PAIRS for side in ("Left", "Right")] + list(MIDDLE)
    others = [key for key in rig.keys if key.name not in rig.properties["expression_names"]]
    facts = {"expression_names": names, "source_expression": np.linspace(-0.2, 1.2, 51).tolist()}
    keys = (*(replace(rig.keys[0], name=name) for name in names), *others)
    older = {name: value for name, value in rig.properties.items() if name != "photo_keys"}
    return replace(rig, keys=keys, properties={**older, **facts})


@pytest.fixture
def head(enabled, rig):
    from blender_addon.rig.build import build_head

    return build_head(rig).mesh


def _values(head):
    return {name: block.value for name, block in key_blocks(head).items()}


def _expressions(head, rig):
    names = rig.properties["expression_names"]
    return {name: value for name, value in _values(head).items() if name in names}


def test_a_preset_replaces_the_expression_and_nothing_else(enabled, head, rig):
    blocks = key_blocks(head)
    blocks["cheekPuff"].value, blocks["Hair01"].value = 0.7, 1.5
    assert enabled.ops.rome.apply_preset(preset="SMILE") == {"FINISHED"}
    values = _values(head)
    assert values["mouthSmileLeft"] == values["mouthSmileRight"] == pytest.approx(0.8)
    assert values["cheekPuff"] == 0.0 and values["Hair01"] == 1.5


def test_half_a_preset_is_half(enabled, head):
    enabled.ops.rome.apply_preset(preset="OPEN_MOUTH", strength=0.5)
    assert _values(head)["jawOpen"] == pytest.approx(0.4)


def test_every_preset_moves_something_the_head_has(enabled, head, rig):
    from blender_addon.operators.pose_tools import PRESETS

    for identifier, _, description in PRESETS[:-1]:
        enabled.ops.rome.apply_preset(preset=identifier)
        assert max(_expressions(head, rig).values()) > 0.3, identifier
        assert not description.endswith(".")


def test_the_photo_s_expression_is_a_preset(enabled, head, rig):
    enabled.ops.rome.apply_preset(preset="AS_IN_THE_PHOTO")
    wanted = dict(
        zip(rig.properties["expression_names"], rig.properties["source_expression"], strict=True)
    )
    for name, value in _expressions(head, rig).items():
        assert value == pytest.approx(min(max(wanted[name], 0.0), 1.0), abs=1e-6)


def test_the_photo_s_expression_has_its_jaw_and_gaze(enabled, head, rig):
    from blender_addon.rig.properties import write_properties

    write_properties(head, {"photo_keys": {"jawOpen": 0.4, "eyeLookUpLeft": 0.3}})
    enabled.ops.rome.apply_preset(preset="AS_IN_THE_PHOTO", strength=0.5)
    shown = {name: value for name, value in _expressions(head, rig).items() if value}
    assert shown == pytest.approx({"jawOpen": 0.2, "eyeLookUpLeft": 0.15})


def test_the_same_seed_gives_the_same_mild_expression(enabled, head, rig):
    enabled.ops.rome.randomize(seed=5, strength=0.4)
    first = _expressions(head, rig)
    enabled.ops.rome.randomize(seed=6, strength=0.4)
    assert _expressions(head, rig) != first
    enabled.ops.rome.randomize(seed=5, strength=0.4)
    assert _expressions(head, rig) == first
    assert 0.0 < max(first.values()) <= 0.4


def test_swapping_twice_is_no_change(enabled, head, rig):
    rng = np.random.default_rng(1)
    for name in rig.properties["expression_names"]:
        key_blocks(head)[name].value = float(rng.uniform(0.0, 1.0))
    set_bone_angle(head, "neck", 1, 0.4)
    set_bone_angle(head, "left_eye", 1, 0.2)
    before = _values(head)
    enabled.ops.rome.mirror(way="SWAP")
    swapped = _values(head)
    for name in rig.properties["expression_names"]:
        assert swapped[name] == pytest.approx(before[opposite(name)])
    assert bone_angles(head, "neck")[1] == pytest.approx(-0.4, abs=1e-6)
    assert bone_angles(head, "right_eye")[1] == pytest.approx(-0.2, abs=1e-6)
    enabled.ops.rome.mirror(way="SWAP")
    assert _expressions(head, rig) == pytest.approx(
        {name: before[name] for name in rig.properties["expression_names"]}
    )
    assert bone_angles(head, "left_eye")[1] == pytest.approx(0.2, abs=1e-6)


def test_one_side_is_copied_to_the_other(enabled, head):
    blocks = key_blocks(head)
    blocks["mouthSmileLeft"].value, blocks["mouthSmileRight"].value = 0.9, 0.1
    blocks["jawLeft"].value = 0.6
    enabled.ops.rome.mirror(way="TO_RIGHT")
    assert blocks["mouthSmileRight"].value == pytest.approx(0.9)
    # jawLeft names a direction: copying it would pull the jaw both ways.
    assert blocks["jawRight"].value == 0.0
    blocks["mouthSmileRight"].value = 0.3
    enabled.ops.rome.mirror(way="TO_LEFT")
    assert blocks["mouthSmileLeft"].value == pytest.approx(0.3)
    assert is_pair("mouthSmileLeft") and not is_pair("jawLeft")


@pytest.mark.parametrize("part", ["EXPRESSION", "OFFSETS", "IDENTITY", "POSE", "ALL"])
def test_reset_puts_back_what_was_asked_for(enabled, head, rig, part):
    before = _values(head)
    blocks = key_blocks(head)
    blocks["jawOpen"].value, blocks["Hair01"].value = 0.5, 2.0
    blocks["Shape2"].value = 1.0
    set_bone_angle(head, "jaw", 0, 0.3)
    enabled.ops.rome.reset(part=part)
    assert (blocks["jawOpen"].value == 0.0) is (part in ("EXPRESSION", "ALL"))
    back = blocks["Hair01"].value == pytest.approx(before["Hair01"])
    assert back is (part in ("OFFSETS", "ALL"))
    assert (blocks["Shape2"].value == 0.0) is (part in ("IDENTITY", "ALL"))
    assert (abs(bone_angles(head, "jaw")[0]) < 1e-6) is (part in ("POSE", "ALL"))


def test_whose_face_it_is_stays_with_every_tool_for_expressions(enabled, head):
    blocks = key_blocks(head)
    blocks["Shape1"].value = -1.25
    enabled.ops.rome.apply_preset(preset="SMILE")
    enabled.ops.rome.randomize(seed=3)
    for way in ("SWAP", "TO_LEFT", "TO_RIGHT"):
        enabled.ops.rome.mirror(way=way)
    assert blocks["Shape1"].value == -1.25


def test_key_all_keys_all_but_driven_keys_and_the_identity(enabled, head, rig, curves_of):
    enabled.context.scene.frame_set(7)
    key_blocks(head)["jawOpen"].value = 0.5
    set_bone_angle(head, "neck", 0, 0.3)
    enabled.ops.rome.key_all()
    enabled.context.scene.frame_set(20)
    enabled.ops.rome.reset(part="ALL")
    enabled.ops.rome.key_all()
    enabled.context.scene.frame_set(7)
    assert key_blocks(head)["jawOpen"].value == pytest.approx(0.5)
    assert bone_angles(head, "neck")[0] == pytest.approx(0.3, abs=1e-6)
    keyed = head.data.shape_keys.animation_data.action
    driven = sum(key.driver is not None for key in rig.keys)
    paths = {curve.data_path for curve in curves_of(keyed)}
    identity = sum(is_identity_key(key.name) for key in rig.keys)
    assert identity and len(paths) == len(rig.keys) - driven - identity
    bones = head.parent.animation_data.action
    assert len({curve.data_path for curve in curves_of(bones)}) == len(rig.joint_names) + 1


def test_the_active_armature_or_camera_means_its_head(enabled, head, rig):
    from blender_addon.rig.build import build_head

    second = build_head(rig)
    for thing in (second.armature, second.camera, second.mesh):
        enabled.context.view_layer.objects.active = thing
        enabled.ops.rome.apply_preset(preset="OPEN_MOUTH")
        assert key_blocks(second.mesh)["jawOpen"].value > 0.5
        enabled.ops.rome.reset(part="ALL")
    assert key_blocks(head)["jawOpen"].value == 0.0


def test_among_several_heads_one_must_be_selected(enabled, head, rig):
    from blender_addon.rig.build import build_head

    build_head(rig)
    enabled.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Select a head first"):
        enabled.ops.rome.key_all()


def test_each_tool_is_one_undo_step(enabled, head):
    name = head.name
    enabled.ops.ed.undo_push(message="before")
    enabled.ops.rome.apply_preset(preset="OPEN_MOUTH")
    enabled.ops.ed.undo_push(message="Preset")
    enabled.ops.ed.undo()
    assert key_blocks(enabled.data.objects[name])["jawOpen"].value == 0.0
