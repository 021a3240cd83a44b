# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist finds in the file: objects, keys, groups, bones, and that all of it is saved.

Does not know the deformation (test_skinning_in_blender) or the materials (test_material).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core_access import RomeError
from rome_backend.core.types import Camera


def test_the_collection_holds_mesh_armature_and_camera_only(built):
    kinds = sorted(o.type for o in built.collection.objects)
    assert kinds == ["ARMATURE", "CAMERA", "MESH"]
    assert built.collection.name == built.mesh.name == "Ada"
    assert built.armature.name == "Ada Rig" and built.camera.name == "Ada Camera"


def test_a_second_head_does_not_share_anything_with_the_first(empty_blender, built, rig):
    from blender_addon.rig.build import build_head

    second = build_head(rig, collection_name="Twin")
    assert second.collection.name == "Twin"
    assert second.mesh.data != built.mesh.data and second.mesh.parent == second.armature
    drivers = second.mesh.data.shape_keys.animation_data.drivers
    targets = {t.id for d in drivers for v in d.driver.variables for t in v.targets}
    assert targets == {second.armature}
    assert not set(second.mesh.data.materials) & set(built.mesh.data.materials)


def test_a_head_can_be_built_while_something_is_edited(empty_blender, built, rig):
    from blender_addon.rig.build import build_head

    empty_blender.context.view_layer.objects.active = built.armature
    empty_blender.ops.object.mode_set(mode="POSE")
    second = build_head(rig)
    assert second.armature.mode == "OBJECT"
    assert [o.name for o in empty_blender.context.selected_objects] == [second.mesh.name]


def test_keys_carry_names_values_and_ranges(built, rig):
    blocks = built.mesh.data.shape_keys.key_blocks
    assert list(blocks.keys()) == ["Basis", *(key.name for key in rig.keys)]
    for key in rig.keys:
        block = blocks[key.name]
        assert block.slider_min == key.minimum and block.slider_max == key.maximum
        assert block.value == pytest.approx(key.value, abs=1e-6)


def test_the_head_stands_on_the_origin_facing_minus_y(built, synthetic):
    """Z up, metres, no scales: the lowest point is at z = 0, the eyes look along -Y."""
    points = np.array([v.co for v in built.mesh.data.vertices])
    assert points[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    assert 0.1 < np.ptp(points[:, 2]) < 0.5
    eyes = synthetic.head.regions["left_eyeball"] | synthetic.head.regions["right_eyeball"]
    assert points[eyes, 1].mean() < points[:, 1].mean() - 0.03
    left = points[synthetic.head.regions["left_eyeball"], 0].mean()
    assert left > points[:, 0].mean()
    root = built.armature.data.bones["root"].head_local
    assert tuple(root)[:2] == pytest.approx((0.0, 0.0), abs=1e-6)
    for thing in (built.mesh, built.armature):
        assert np.allclose(np.array(thing.matrix_world), np.eye(4))


def test_bones_stand_at_the_joints_and_rest_on_the_turn(built, rig):
    from blender_addon.rig.space import TURN, origin_of, to_object

    heads = to_object(rig.joints, origin_of(rig.properties))
    for name, head, parent in zip(rig.joint_names, heads, rig.parents.tolist(), strict=True):
        bone = built.armature.data.bones[name]
        assert np.allclose(bone.head_local, head, atol=1e-6)
        assert np.allclose(np.array(bone.matrix_local)[:3, :3], TURN, atol=1e-6)
        assert (bone.parent.name if bone.parent else None) == (
            rig.joint_names[parent] if parent >= 0 else None
        )


def test_vertex_groups_hold_the_weights_and_the_regions(built, rig):
    groups = built.mesh.vertex_groups
    assert set(groups.keys()) == set(rig.joint_names) | {f"region.{n}" for n in rig.regions}
    weights = np.zeros_like(rig.weights)
    for vertex in built.mesh.data.vertices:
        for element in vertex.groups:
            if element.group < len(rig.joint_names):
                weights[vertex.index, element.group] = element.weight
    assert np.allclose(weights, rig.weights, atol=2e-6)
    hair = groups["region.hair"].index
    found = [any(g.group == hair for g in v.groups) for v in built.mesh.data.vertices]
    assert np.array_equal(found, rig.regions["hair"])


def test_uvs_follow_the_corners(built, rig):
    found = np.array([loop.uv for loop in built.mesh.data.uv_layers["UVMap"].data])
    assert np.allclose(found, rig.uvs[rig.uv_faces.ravel()], atol=1e-7)


def test_the_surface_is_valid_and_smooth(built):
    data = built.mesh.data
    assert not data.validate()
    assert all(polygon.use_smooth for polygon in data.polygons)
    assert built.mesh.modifiers[0].use_deform_preserve_volume is False


def test_properties_survive_as_numbers_and_texts(built, rig):
    from blender_addon.rig.properties import read_properties

    assert read_properties(built.mesh) == rig.properties
    shape = built.mesh["rome_shape"]
    assert len(shape) == len(rig.properties["shape"]) and shape[0] == rig.properties["shape"][0]


def test_a_camera_blender_cannot_have_leaves_nothing_behind(empty_blender, rig):
    from blender_addon.rig.build import build_head

    bent = np.array(rig.camera.world_to_clip)
    bent[3, 2] = -1.0
    with pytest.raises(RomeError) as caught:
        build_head(replace(rig, camera=Camera(bent, rig.camera.width, rig.camera.height)))
    assert caught.value.code == "camera_unsupported"
    data = empty_blender.data
    assert not data.objects and not data.collections and not data.meshes and not data.images


def test_large_pictures_are_packed_in_many_short_steps(empty_blender, rig):
    """What a window may stand still for does not depend on the texture's size."""
    from blender_addon.rig.build import build_steps

    def steps(side):
        pictures = {"albedo": (side, side, 3), "photo": (side, side, 3), "confidence": (side, side)}
        blank = {name: np.zeros(shape, np.uint8) for name, shape in pictures.items()}
        return sum(1 for _ in build_steps(replace(rig, **blank)))

    megabytes = (3 + 3 + 1) * 4
    assert steps(2048) - steps(8) >= megabytes - 3


def test_every_driver_is_valid_and_needs_no_trust(built, rig):
    drivers = built.mesh.data.shape_keys.animation_data.drivers
    assert len(drivers) == sum(key.driver is not None for key in rig.keys) == 18
    for curve in drivers:
        assert curve.driver.is_valid and curve.driver.is_simple_expression
        for variable in curve.driver.variables:
            assert variable.type == "TRANSFORMS"
            assert variable.targets[0].rotation_mode == "QUATERNION"


def test_saved_and_opened_again_it_is_the_same_head(empty_blender, built, rig, tmp_path):
    """Packed images, live drivers and the deformation outlive the file and the folder."""
    from blender_addon.rig.read import evaluated_vertices
    from blender_addon.rig.write import apply_params

    pose = np.full((5, 3), 0.2)
    apply_params(built.mesh, {"jawOpen": 0.7, "Hair02": -1.5}, pose, (0.0, 0.1, 0.0))
    before = evaluated_vertices(built.mesh)
    path = tmp_path / "ada.blend"
    empty_blender.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
    moved = path.rename(tmp_path / "moved.blend")
    empty_blender.ops.wm.open_mainfile(filepath=str(moved))
    mesh = empty_blender.data.objects["Ada"]
    assert np.abs(evaluated_vertices(mesh) - before).max() < 1e-7
    images = [i for i in empty_blender.data.images if i.name.startswith("Ada")]
    assert len(images) == 3 and all(i.packed_file is not None for i in images)
    drivers = mesh.data.shape_keys.animation_data.drivers
    assert all(d.driver.is_valid and d.driver.is_simple_expression for d in drivers)


def test_apply_params_refuses_what_the_head_does_not_have(built):
    from blender_addon.rig.write import apply_params

    with pytest.raises(KeyError):
        apply_params(built.mesh, {"earWiggle": 1.0}, np.zeros((5, 3)))
    with pytest.raises(ValueError):
        apply_params(built.mesh, {}, np.zeros((4, 3)))


def test_values_are_clipped_to_the_slider(built):
    from blender_addon.rig.write import apply_params

    apply_params(built.mesh, {"jawOpen": 7.0, "Hair03": -9.0}, np.zeros((5, 3)))
    blocks = built.mesh.data.shape_keys.key_blocks
    assert blocks["jawOpen"].value == 1.0 and blocks["Hair03"].value == -3.0


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("browInnerUp", "Brows"),
        ("eyeBlinkLeft", "Eyes"),
        ("jawOpen", "Jaw"),
        ("mouthSmileLeft", "Mouth"),
        ("Hair07", "Hair"),
        ("Neck01", "Neck"),
        ("Pose12", "Pose correctives"),
        ("something", "Other"),
    ],
)
def test_keys_fall_into_groups(key, group):
    from blender_addon.rig.names import key_group

    assert key_group(key) == group


def test_in_steps_it_is_the_same_head(empty_blender, built, rig):
    from blender_addon.rig.build import build_steps
    from blender_addon.rig.read import evaluated_vertices

    count = sum(1 for _ in build_steps(rig))
    assert count > 8
    second = empty_blender.context.view_layer.objects.active
    assert second != built.mesh
    assert np.array_equal(evaluated_vertices(second), evaluated_vertices(built.mesh))


@pytest.mark.parametrize("after", [1, 2, 6, 12])
def test_a_build_that_is_given_up_leaves_nothing(empty_blender, rig, after):
    from blender_addon.rig.build import build_steps

    steps = build_steps(rig)
    for _ in range(after):
        next(steps)
    steps.close()
    data = empty_blender.data
    kinds = ("objects", "collections", "meshes", "armatures", "cameras", "materials", "images")
    assert {kind: len(getattr(data, kind)) for kind in kinds} == dict.fromkeys(kinds, 0)


def test_the_bones_do_not_stand_before_the_face(built):
    assert not built.armature.show_in_front
    assert built.armature.data.display_type == "STICK"
