# SPDX-License-Identifier: GPL-3.0-or-later
"""Another rig in a head that an artist has worked on: the new person, the artist's work kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core_access import RomeError
from blender_addon.rig.links import linked_part
from blender_addon.rig.material import is_painted
from blender_addon.rig.signature import edited_keys, key_points
from blender_addon.rig.space import directions_to_object, origin_of, to_object
from blender_addon.rig.update import update_steps


def _run(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.fixture
def other(rig):
    """Another person: broader, taller, other hair values, another texture, other joints."""
    keys = tuple(replace(key, value=0.25) if key.name == "Hair02" else key for key in rig.keys)
    coefficients = list(rig.properties["offset_coefficients"])
    coefficients[1] = 0.25
    joints = (rig.joints * np.float32([1.1, 1.05, 1.0])).astype(np.float32)
    stretched = (rig.vertices * np.float32([1.1, 1.05, 1.0])).astype(np.float32)
    return replace(
        rig,
        vertices=stretched,
        joints=joints,
        keys=keys,
        albedo=255 - rig.albedo,
        properties={
            **rig.properties,
            "offset_coefficients": coefficients,
            "joints": joints.ravel().tolist(),
        },
    )


def _points(head, key):
    return key_points(head.data.shape_keys.key_blocks[key])


def _delta(head, key):
    return _points(head, key) - _points(head, "Basis")


def _sculpt(head, key, vertices, by):
    block = head.data.shape_keys.key_blocks[key]
    points = key_points(block)
    points[vertices] += by
    block.data.foreach_set("co", points.astype(np.float32).ravel())


def test_untouched_it_becomes_what_a_new_head_would_be(empty_blender, built, rig, other):
    from blender_addon.rig.build import build_head
    from blender_addon.rig.read import evaluated_vertices

    kept = _run(update_steps(built.mesh, other))
    assert kept.keys == () and kept.images == ()
    fresh = build_head(other)
    assert np.abs(evaluated_vertices(built.mesh) - evaluated_vertices(fresh.mesh)).max() < 1e-6
    for bone in fresh.armature.data.bones:
        mine = built.armature.data.bones[bone.name]
        assert np.allclose(mine.matrix_local, bone.matrix_local, atol=1e-6)
    assert np.allclose(built.camera.matrix_world, fresh.camera.matrix_world, atol=1e-6)
    shown = np.empty(4 * other.albedo.shape[0] ** 2, np.float32)
    linked_part(built.mesh, "albedo").pixels.foreach_get(shown)
    mine = shown.reshape(*other.albedo.shape[:2], 4)[::-1, :, :3]
    assert np.allclose(mine, other.albedo / 255.0, atol=1e-3)


def test_an_added_key_keeps_its_shape_and_its_value(built, other):
    built.mesh.shape_key_add(name="scar", from_mix=False)
    _sculpt(built.mesh, "scar", [5, 6], (0.0, -0.01, 0.0))
    built.mesh.data.shape_keys.key_blocks["scar"].value = 0.5
    before = _delta(built.mesh, "scar")
    kept = _run(update_steps(built.mesh, other))
    assert kept.keys == ("scar",)
    assert np.abs(_delta(built.mesh, "scar") - before).max() < 1e-6
    assert built.mesh.data.shape_keys.key_blocks["scar"].value == 0.5


def test_moved_identity_sliders_stay_and_the_bones_follow_them(built, rig, other):
    from blender_addon.rig.refit import bones_fit

    blocks = built.mesh.data.shape_keys.key_blocks
    blocks["Shape1"].value = 1.5
    kept = _run(update_steps(built.mesh, other))
    assert kept.keys == () and blocks["Shape1"].value == 1.5
    assert bones_fit(built.mesh)
    moves = np.reshape(rig.properties["identity_joints"]["Shape1"], (-1, 3))
    wanted = to_object(other.joints + 1.5 * moves, origin_of(other.properties))
    for name, place in zip(rig.joint_names, wanted, strict=True):
        head = built.armature.data.bones[name].head_local
        assert np.allclose(head, place, atol=2e-6)


def test_a_head_from_before_there_were_identity_sliders_gets_them(empty_blender, rig, other):
    from blender_addon.rig.build import build_head
    from blender_addon.rig.refit import wanted_joints

    keys = tuple(key for key in rig.keys if not key.name.startswith("Shape"))
    facts = {k: v for k, v in rig.properties.items() if k not in ("joints", "identity_joints")}
    old = build_head(replace(rig, keys=keys, properties=facts))
    assert wanted_joints(old.mesh) is None
    _run(update_steps(old.mesh, other))
    assert "Shape6" in old.mesh.data.shape_keys.key_blocks
    assert wanted_joints(old.mesh) is not None


def test_an_edited_key_is_kept_also_the_second_time(built, rig, other):
    _sculpt(built.mesh, "jawOpen", [9], (0.0, 0.0, 0.004))
    before = _delta(built.mesh, "jawOpen")
    for each in (other, rig):
        assert _run(update_steps(built.mesh, each)).keys == ("jawOpen",)
        assert np.abs(_delta(built.mesh, "jawOpen") - before).max() < 1e-6


def test_other_keys_take_over_what_is_new_in_the_rig(built, other):
    """Newer head models may bring better expressions: they replace what nobody edited."""
    better = tuple(
        replace(key, delta=key.delta * np.float32(2.0)) if key.name == "jawOpen" else key
        for key in other.keys
    )
    wanted = directions_to_object(next(k.delta for k in better if k.name == "jawOpen"))
    _run(update_steps(built.mesh, replace(other, keys=better)))
    assert np.abs(_delta(built.mesh, "jawOpen") - wanted).max() < 1e-6
    assert edited_keys(built.mesh) == set()


def test_what_was_sculpted_on_the_basis_is_kept(built, other):
    names = [block.name for block in built.mesh.data.shape_keys.key_blocks]
    for key in names:
        _sculpt(built.mesh, key, [3], (0.0, 0.002, 0.0))
    kept = _run(update_steps(built.mesh, other))
    assert kept.keys == ()
    expected = to_object(other.vertices, origin_of(other.properties))
    expected[3] += (0.0, 0.002, 0.0)
    assert np.abs(_points(built.mesh, "Basis") - expected).max() < 1e-6
    plain = np.array([vertex.co for vertex in built.mesh.data.vertices])
    assert np.abs(plain - expected).max() < 1e-6


def test_removed_keys_stay_removed_and_new_ones_come(built, rig, other):
    built.mesh.shape_key_remove(built.mesh.data.shape_keys.key_blocks["jawOpen"])
    brand_new = replace(rig.keys[0], name="tongueOut")
    _run(update_steps(built.mesh, replace(other, keys=(*other.keys, brand_new))))
    blocks = built.mesh.data.shape_keys.key_blocks
    assert "jawOpen" not in blocks and "tongueOut" in blocks
    assert blocks["tongueOut"].value == 0.0


def test_moved_sliders_stay_and_others_follow_the_photo(built, other):
    blocks = built.mesh.data.shape_keys.key_blocks
    blocks["Hair01"].value = 1.5
    blocks["jawOpen"].value = 0.4
    _run(update_steps(built.mesh, other))
    assert blocks["Hair01"].value == 1.5 and blocks["Hair02"].value == 0.25
    assert blocks["jawOpen"].value == pytest.approx(0.4)


def test_a_painted_texture_is_kept(built, rig, other):
    image = linked_part(built.mesh, "albedo")
    pixels = np.full(4 * image.size[0] * image.size[1], 0.5, np.float32)
    image.pixels.foreach_set(pixels)
    image.update()
    assert is_painted(image) and not is_painted(linked_part(built.mesh, "confidence"))
    kept = _run(update_steps(built.mesh, other))
    assert kept.images == (image.name,)
    shown = np.empty_like(pixels)
    image.pixels.foreach_get(shown)
    assert np.allclose(shown, 0.5, atol=0.01)


def test_materials_and_animation_stay(empty_blender, built, other):
    skin = built.mesh.data.materials[0]
    shader = next(n for n in skin.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.123
    built.mesh.data.materials[1] = empty_blender.data.materials.new("my eyes")
    blocks = built.mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].value = 0.8
    blocks["jawOpen"].keyframe_insert("value", frame=10)
    built.armature.pose.bones["neck"].keyframe_insert("rotation_quaternion", frame=10)
    actions = (
        built.mesh.data.shape_keys.animation_data.action,
        built.armature.animation_data.action,
    )
    _run(update_steps(built.mesh, other))
    assert built.mesh.data.shape_keys.animation_data.action == actions[0]
    assert built.armature.animation_data.action == actions[1]
    assert built.mesh.data.materials[0] == skin
    assert shader.inputs["Roughness"].default_value == pytest.approx(0.123)
    assert built.mesh.data.materials[1].name == "my eyes"
    empty_blender.context.scene.frame_set(10)
    assert blocks["jawOpen"].value == pytest.approx(0.8)
    drivers = built.mesh.data.shape_keys.animation_data.drivers
    assert all(curve.driver.is_valid for curve in drivers)


def test_where_the_artist_put_the_head_it_stays(empty_blender, built, other):
    built.armature.location = (2.0, 0.0, 1.0)
    empty_blender.context.view_layer.update()
    offset = built.camera.matrix_world.translation.copy()
    _run(update_steps(built.mesh, other))
    assert tuple(built.armature.location) == (2.0, 0.0, 1.0)
    moved = built.camera.matrix_world.translation - offset
    assert moved.x > 1.5 and moved.z > 0.8


def test_another_topology_is_refused(built, other):
    facts = {**other.properties, "topology_id": "another"}
    with pytest.raises(RomeError) as caught:
        _run(update_steps(built.mesh, replace(other, properties=facts)))
    assert caught.value.code == "topology_changed" and caught.value.hint


def test_a_hidden_armature_is_told(built, other):
    built.armature.hide_set(True)
    with pytest.raises(RomeError) as caught:
        _run(update_steps(built.mesh, other))
    assert caught.value.code == "head_hidden"


def test_giving_up_before_the_last_step_changes_nothing(built, other):
    before = {key: _points(built.mesh, key) for key in ("Basis", "jawOpen", "Hair01")}
    count = sum(1 for _ in update_steps(built.mesh, other))
    assert count > 4
    changed = _points(built.mesh, "Basis")
    assert np.abs(changed - before["Basis"]).max() > 1e-3
    steps = update_steps(built.mesh, replace(other, vertices=other.vertices * np.float32(1.2)))
    for _ in range(count):
        next(steps)
    steps.close()
    assert np.array_equal(_points(built.mesh, "Basis"), changed)
