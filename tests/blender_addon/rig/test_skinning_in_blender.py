# SPDX-License-Identifier: GPL-3.0-or-later
"""The head as Blender deforms it is the head as our numpy skinning does.

Does not know how the head looks.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import posed_vertices, regress_joints, shape_vertices, skin
from rome_backend.core.types import FlameParams

TOLERANCE = 1e-5


def random_pose(rng):
    return rng.normal(size=(5, 3)) * np.array([0.4, 0.4, 0.3, 0.3, 0.3])[:, None]


def expected(synthetic, expression, coefficients, pose, translation):
    """The oracle: core's skinning with neutral joints and offsets that never move them."""
    params = FlameParams(
        shape=synthetic.avatar.params.shape,
        expression=expression,
        rotation=pose[0],
        neck=pose[1],
        jaw=pose[2],
        eyes=pose[3:],
        translation=translation,
    )
    basis = synthetic.basis
    offsets = basis.mean + basis.dirs @ coefficients + synthetic.avatar.free_offsets
    return posed_vertices(synthetic.head, params, offsets, joints_from="neutral")


def compare(built, synthetic, seed):
    """Return the largest error in m of one random setting of every key and bone."""
    from blender_addon.rig.read import evaluated_vertices
    from blender_addon.rig.write import apply_params

    rng = np.random.default_rng(seed)
    names = synthetic.head.expression_names
    expression = rng.random(len(names))
    coefficients = np.array(synthetic.avatar.offset_coefficients, dtype=np.float64)
    live = np.flatnonzero(np.abs(coefficients) < 3.0)
    coefficients[live] = rng.uniform(-3.0, 3.0, len(live))
    pose, translation = random_pose(rng), rng.normal(size=3) * 0.1
    values = dict(zip(names, expression, strict=True))
    values |= {synthetic.basis.names[i]: coefficients[i] for i in live}
    apply_params(built.mesh, values, pose, translation)
    found = evaluated_vertices(built.mesh)
    wanted = expected(synthetic, expression, coefficients, pose, translation)
    return np.abs(found - wanted).max()


def test_random_keys_and_bones_equal_numpy_skinning(built, synthetic):
    errors = [compare(built, synthetic, seed) for seed in range(20)]
    assert max(errors) < TOLERANCE


def test_full_size_head_equals_numpy_skinning(empty_blender, full_size, full_size_rig):
    from blender_addon.rig.build import build_head

    assert len(full_size.head.template) == 5023
    built = build_head(full_size_rig)
    errors = [compare(built, full_size, seed) for seed in range(3)]
    assert max(errors) < TOLERANCE


def test_a_fresh_head_is_the_neutral_avatar(built, synthetic):
    """Nothing set: identity, fitted offsets, no expression; also in Blender 5, where new shape
    keys start at one."""
    from blender_addon.rig.read import evaluated_vertices

    avatar = synthetic.avatar
    wanted = shape_vertices(synthetic.head, avatar.params.shape) + avatar.offsets
    assert np.abs(evaluated_vertices(built.mesh) - wanted).max() < TOLERANCE


@pytest.mark.parametrize("joint", ["neck", "jaw"])
def test_drivers_follow_the_bone_in_any_rotation_mode(built, synthetic, joint):
    """An artist who switches a bone to Euler angles keeps exact pose correctives."""
    from blender_addon.rig.read import evaluated_vertices

    bone = built.armature.pose.bones[joint]
    bone.rotation_mode = "XYZ"
    bone.rotation_euler = (0.3, -0.1, 0.2)
    turn = np.array(bone.rotation_euler.to_matrix(), dtype=np.float64)
    rotations = np.tile(np.eye(3), (5, 1, 1))
    rotations[list(built.armature.pose.bones.keys()).index(joint)] = turn
    avatar = synthetic.avatar
    neutral = shape_vertices(synthetic.head, avatar.params.shape)
    joints = regress_joints(synthetic.head, neutral)
    wanted = skin(neutral + avatar.offsets, joints, rotations, synthetic.head)
    assert np.abs(evaluated_vertices(built.mesh) - wanted).max() < TOLERANCE


def test_jaw_bone_drives_its_nine_correctives(empty_blender, built):
    """Opening the jaw sets Pose10..18 to R - I, row by row, and leaves the neck's alone."""
    axis_angle = np.array([0.35, 0.05, -0.02])
    from blender_addon.rig.write import apply_params

    pose = np.zeros((5, 3))
    pose[2] = axis_angle
    apply_params(built.mesh, {}, pose)
    graph = empty_blender.context.evaluated_depsgraph_get()
    blocks = built.mesh.data.shape_keys.evaluated_get(graph).key_blocks
    wanted = (rotation_matrices(axis_angle) - np.eye(3)).ravel()
    assert np.allclose([blocks[f"Pose{i}"].value for i in range(10, 19)], wanted, atol=1e-6)
    assert np.allclose([blocks[f"Pose{i}"].value for i in range(1, 10)], 0.0, atol=1e-7)


def test_moving_the_rig_object_keeps_the_head_space_vertices(empty_blender, built):
    from blender_addon.rig.read import evaluated_vertices, head_to_world

    before = evaluated_vertices(built.mesh)
    built.armature.location = (1.0, -2.0, 0.5)
    built.armature.rotation_euler = (0.2, 0.3, 0.9)
    built.armature.scale = (1.5, 1.5, 1.5)
    after = evaluated_vertices(built.mesh)
    assert np.abs(after - before).max() < TOLERANCE
    matrix = head_to_world(built.mesh)
    graph_mesh = built.mesh.evaluated_get(empty_blender.context.evaluated_depsgraph_get())
    local = np.array([v.co for v in graph_mesh.data.vertices])
    world = local @ np.array(graph_mesh.matrix_world)[:3, :3].T
    world += np.array(graph_mesh.matrix_world)[:3, 3]
    assert np.allclose(after @ matrix[:3, :3].T + matrix[:3, 3], world, atol=1e-5)
