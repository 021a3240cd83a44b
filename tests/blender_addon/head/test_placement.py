# SPDX-License-Identifier: GPL-3.0-or-later
"""A new head stands where it can be seen."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.head.placement import GAP, free_distance, look_at_head, place

LOW, HIGH = np.array([-0.2, -0.2, 0.0]), np.array([0.2, 0.2, 0.4])


def _box(low, high):
    return np.array(low, dtype=float), np.array(high, dtype=float)


def test_alone_it_stays():
    assert free_distance(LOW, HIGH, []) == 0.0


def test_inside_a_cube_it_moves_out():
    moved = free_distance(LOW, HIGH, [_box([-1, -1, -1], [1, 1, 1])])
    assert moved == pytest.approx(1.2 + GAP)


def test_a_row_of_boxes_is_passed_to_the_first_gap():
    row = [_box([x, -1, -1], [x + 0.9, 1, 1]) for x in (2, -1, 0, 1)]
    moved = free_distance(LOW, HIGH, row)
    assert LOW[0] + moved == pytest.approx(2.9 + GAP)
    row = [_box([x, -1, -1], [x + 0.9, 1, 1]) for x in (4, -1, 0)]
    assert LOW[0] + free_distance(LOW, HIGH, row) == pytest.approx(0.9 + GAP)


@pytest.mark.parametrize(
    "other",
    [
        _box([-9, -9, -1], [9, 9, 0.0]),  # a floor it stands on
        _box([-1, -1, 0.5], [1, 1, 1]),  # a lamp above
        _box([3, -1, -1], [4, 1, 1]),  # beside it
    ],
)
def test_what_does_not_touch_it_does_not_move_it(other):
    assert free_distance(LOW, HIGH, [other]) == 0.0


def test_head_and_camera_leave_the_default_cube_together(empty_blender, built):
    empty_blender.ops.mesh.primitive_cube_add(size=2.0)
    before = built.camera.location.copy()
    moved = place(built, empty_blender.context.scene)
    assert moved > 1.0 and built.armature.location.x == pytest.approx(moved)
    assert built.camera.location.x - before.x == pytest.approx(moved)
    assert place(built, empty_blender.context.scene) == 0.0


def test_a_room_may_hold_a_head(empty_blender, built):
    empty_blender.ops.mesh.primitive_cube_add(size=4.0)
    assert place(built, empty_blender.context.scene) == 0.0


def test_a_hidden_object_is_in_nobody_s_way(empty_blender, built):
    empty_blender.ops.mesh.primitive_cube_add(size=1.0)
    empty_blender.context.object.hide_viewport = True
    assert place(built, empty_blender.context.scene) == 0.0


def test_a_viewport_turns_to_the_head(empty_blender, built):
    space = next(
        area.spaces.active
        for screen in empty_blender.data.screens
        for area in screen.areas
        if area.type == "VIEW_3D"
    )
    built.armature.location.x = 3.0
    empty_blender.context.view_layer.update()
    look_at_head(space, built.mesh)
    assert space.region_3d.view_location.x == pytest.approx(3.0, abs=0.05)
    assert 0.2 < space.region_3d.view_distance < 2.0
    assert space.shading.color_type == "TEXTURE"
