# SPDX-License-Identifier: GPL-3.0-or-later
"""Sliders and bones as numbers, in every rotation mode."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.head.controls import (
    bone_angles,
    driven_keys,
    key_all,
    key_blocks,
    offset_keys,
    photo_offsets,
    reset_bones,
    set_bone_angle,
    set_keys,
)


@pytest.fixture
def head(built):
    return built.mesh


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE"])
def test_angles_are_kept_in_any_rotation_mode(built, head, mode):
    built.armature.pose.bones["neck"].rotation_mode = mode
    for axis, angle in enumerate((0.3, -0.5, 0.2)):
        set_bone_angle(head, "neck", axis, angle)
    assert tuple(bone_angles(head, "neck")) == pytest.approx((0.3, -0.5, 0.2), abs=1e-6)
    assert built.armature.pose.bones["neck"].rotation_mode == mode


def test_angles_are_those_of_the_project(head):
    """R = Ry(yaw) Rx(pitch) Rz(roll)."""
    from rome_backend.core.rotations import rotation_matrices

    pitch, yaw, roll = 0.3, -0.5, 0.2
    for axis, angle in enumerate((pitch, yaw, roll)):
        set_bone_angle(head, "neck", axis, angle)
    turns = rotation_matrices(np.array([[0, yaw, 0], [pitch, 0, 0], [0, 0, roll]]))
    found = np.array(bone_angles(head, "neck").to_matrix())
    assert np.allclose(found, turns[0] @ turns[1] @ turns[2], atol=1e-6)


def test_keys_are_clipped_and_strangers_passed_over(head):
    set_keys(head, {"jawOpen": 3.0, "Hair01": -9.0, "earWiggle": 1.0})
    assert key_blocks(head)["jawOpen"].value == 1.0
    assert key_blocks(head)["Hair01"].value == -3.0


def test_the_photo_s_hair_is_remembered(head, rig):
    wanted = {key.name: key.value for key in rig.keys if key.name in offset_keys(head)}
    set_keys(head, dict.fromkeys(wanted, 0.0))
    assert photo_offsets(head) == pytest.approx(wanted, abs=1e-6)


def test_driven_keys_are_those_of_the_rig(head, rig):
    assert driven_keys(head) == {key.name for key in rig.keys if key.driver is not None}


def test_keying_uses_the_rotation_mode_of_each_bone(built, head, curves_of):
    built.armature.pose.bones["jaw"].rotation_mode = "XYZ"
    key_all(head, 5.0)
    paths = {curve.data_path for curve in curves_of(built.armature.animation_data.action)}
    assert 'pose.bones["jaw"].rotation_euler' in paths
    assert 'pose.bones["neck"].rotation_quaternion' in paths
    assert 'pose.bones["root"].location' in paths


def test_resetting_bones(built, head):
    built.armature.pose.bones["root"].location = (1.0, 2.0, 3.0)
    set_bone_angle(head, "left_eye", 1, 0.4)
    reset_bones(head)
    assert tuple(built.armature.pose.bones["root"].location) == (0.0, 0.0, 0.0)
    assert tuple(bone_angles(head, "left_eye")) == pytest.approx((0.0, 0.0, 0.0))


def test_without_an_armature_nothing_breaks(empty_blender, built, head):
    empty_blender.data.objects.remove(built.armature)
    set_bone_angle(head, "neck", 0, 0.3)
    reset_bones(head)
    assert tuple(bone_angles(head, "neck")) == (0.0, 0.0, 0.0)
    assert key_all(head, 1.0) > 0
