# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand-off presets, what stands beside an export, and exports that fail."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("bpy")

from blender_addon.core_access import RomeError
from blender_addon.exporters.bones import BONES
from blender_addon.exporters.formats import GLB, OBJ, USD, Format
from blender_addon.exporters.head_export import Choice, export_head, is_animated
from rome_backend.core.skinning import shape_vertices

WITH_KEYS = ("glb", "fbx", "usd")
KINDS = (*WITH_KEYS, "obj", "alembic")


@pytest.fixture
def bare(rig, synthetic):
    """The person's identity as an OBJ in head space (Y up) holds it: at the rig's origin."""
    return shape_vertices(synthetic.head, synthetic.avatar.params.shape) - rig.properties["origin"]


def test_neutral_and_hairless_obj_is_the_identity(blender, ada, bare, rig, tmp_path):
    """The file's own numbers: no key, no bone, no offset, in the order of the head model."""
    path = blender.export("obj", tmp_path, content="BARE")
    lines = [line.split() for line in path.read_text().splitlines()]
    points = np.array([line[1:4] for line in lines if line[0] == "v"], float)
    assert points.shape == bare.shape
    assert np.abs(points - bare).max() < 1e-5
    assert np.abs(points - (rig.vertices - rig.properties["origin"])).max() > 1e-3
    assert "map_Kd Ada_Albedo.png" in (tmp_path / "Ada.mtl").read_text()
    assert sum(line[0] == "f" for line in lines) == len(rig.faces)


@pytest.mark.parametrize("kind", KINDS)
def test_neutral_and_hairless_in_every_format(blender, measure, ada, bare, tmp_path, kind):
    distance, _ = measure
    mesh = blender.read(blender.export(kind, tmp_path, content="BARE"))
    assert mesh.data.shape_keys is None and blender.bones() == set()
    upright = bare @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
    assert distance(blender.world(mesh), upright) < 1e-4


def test_no_data_of_a_bare_export_stay_behind(blender, ada, tmp_path):
    bpy = blender.bpy
    before = (len(bpy.data.shape_keys), len(bpy.data.meshes), len(bpy.data.scenes))
    for kind in KINDS:
        blender.export(kind, tmp_path, content="BARE")
    assert (len(bpy.data.shape_keys), len(bpy.data.meshes), len(bpy.data.scenes)) == before


@pytest.mark.parametrize("kind", WITH_KEYS)
def test_arkit_only(blender, measure, read_back, ada, rig, tmp_path, kind):
    """Only expressions are left; hair, neck and correctives have become the shape."""
    distance, keys_of = measure
    blocks = ada.mesh.data.shape_keys.key_blocks
    ada.mesh.shape_key_add(name="scar", from_mix=False).value = 0.0
    blocks["jawOpen"].value = 0.9
    wanted = blender.world(ada.mesh)
    mesh = read_back(ada, kind, tmp_path, content="ARKIT")
    assert set(keys_of(mesh)) == set(rig.properties["expression_names"])
    assert distance(blender.world(mesh), wanted) < 1e-4


@pytest.mark.parametrize("kind", WITH_KEYS)
def test_arkit_only_still_moves(blender, measure, moving, tmp_path, kind):
    _, keys_of = measure
    mesh = blender.read(blender.export(kind, tmp_path, content="ARKIT"))
    for block in mesh.data.shape_keys.key_blocks:
        block.slider_max = 2.0
    assert "Hair02" not in keys_of(mesh)
    blender.bpy.context.scene.frame_set(5)
    assert keys_of(mesh)["jawOpen"] == pytest.approx(1.8, abs=1e-4)


@pytest.mark.parametrize("kind", WITH_KEYS)
@pytest.mark.parametrize("names", BONES)
def test_bones_of_other_programs(blender, measure, moving, tmp_path, kind, names):
    """The animation follows the new names, and the head keeps its own."""
    distance, _ = measure
    wanted = blender.at(5, moving.mesh)
    path = blender.export(kind, tmp_path, bones=names)
    assert {bone.name for bone in moving.armature.data.bones} == set(BONES[names])
    assert np.abs(blender.at(5, moving.mesh) - wanted).max() < 1e-6
    mesh = blender.read(path)
    legal = {name.replace(".", "_") if kind == "usd" else name for name in BONES[names].values()}
    assert blender.bones() == legal
    for block in mesh.data.shape_keys.key_blocks:
        block.slider_min, block.slider_max = -10.0, 10.0
    assert distance(blender.at(5, mesh), wanted) < 1e-4


def test_what_belongs_together_stands_together(blender, ada, tmp_path):
    for kind in KINDS:
        blender.export(kind, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["Ada.glb", "Ada.fbx", "Ada.usdc", "Ada.obj", "Ada.mtl", "Ada.abc", "Ada_Albedo.png"]
        + [f"Ada.{suffix}.rome.json" for suffix in ("glb", "fbx", "usdc", "obj", "abc")]
    )


def test_the_sidecar_says_licences_and_where_it_came_from(blender, ada, rig, tmp_path):
    path = blender.export("obj", tmp_path, content="BARE")
    facts = json.loads((tmp_path / "Ada.obj.rome.json").read_text())
    assert facts["licences"] == rig.properties["licences"] != {}
    assert facts["provenance"] == rig.properties["provenance"]
    assert facts["warnings"] == ["face_turned"] and facts["topology_id"] == "synthetic-190"
    assert facts["file"] == path.name and facts["export"]["content"] == "BARE"
    assert set(facts["files"]) == {"Ada.obj", "Ada.mtl", "Ada_Albedo.png"}
    assert all((tmp_path / name).is_file() for name in facts["files"])
    assert str(tmp_path) not in json.dumps(facts)


def _failing(kind, when):
    def write(path, animated):
        if when == "after":
            kind.write(path, animated)
        (path.parent / "half.bin").write_bytes(b"half")
        raise RomeError("export_failed", "It broke.", "Mend it.")

    return Format(kind.name, kind.suffixes, kind.exporter, write, kind.embeds, ranged=kind.ranged)


@pytest.mark.parametrize("when", ("before", "after"))
@pytest.mark.parametrize("kind", (GLB, USD, OBJ))
def test_an_exporter_that_fails_half_way_leaves_nothing(blender, ada, tmp_path, kind, when):
    old = tmp_path / f"Ada{kind.suffixes[0]}"
    old.write_text("old")
    names = sorted(thing.name for thing in blender.bpy.data.objects)
    with pytest.raises(RomeError):
        export_head(blender.bpy.context, ada.mesh, old, _failing(kind, when), Choice())
    assert [file.name for file in tmp_path.iterdir()] == [old.name]
    assert old.read_text() == "old"
    assert sorted(thing.name for thing in blender.bpy.data.objects) == names
    assert not [image for image in blender.bpy.data.images if "Ada " not in image.name]


def test_blender_s_own_error_becomes_a_sentence(blender, ada, tmp_path):
    (tmp_path / "in the way.abc").mkdir()
    with pytest.raises(RuntimeError, match=r"in the way.abc could not be written: \w"):
        blender.export("alembic", tmp_path, path=tmp_path / "in the way.abc")
    assert [file.name for file in tmp_path.iterdir()] == ["in the way.abc"]


def test_a_head_without_armature_is_exported_as_it_stands(blender, measure, ada, tmp_path):
    distance, _ = measure
    ada.mesh.modifiers.clear()
    ada.mesh.parent = None
    blender.bpy.data.objects.remove(ada.armature)
    blender.bpy.context.view_layer.objects.active = ada.mesh
    wanted = blender.world(ada.mesh)
    found = blender.read(blender.export("glb", tmp_path, bones="VRM"))
    assert distance(blender.world(found), wanted) < 1e-4


def test_what_counts_as_animated(blender, ada):
    assert not is_animated(ada.mesh)
    constraint = ada.armature.pose.bones["left_eye"].constraints.new("DAMPED_TRACK")
    constraint.target = ada.camera
    assert is_animated(ada.mesh)
    ada.armature.pose.bones["left_eye"].constraints.remove(constraint)
    ada.armature.keyframe_insert("location", frame=1)
    assert is_animated(ada.mesh)


@pytest.mark.parametrize("kind", ("glb", "fbx", "alembic"))
def test_eyes_that_follow_something_are_baked(blender, measure, ada, tmp_path, kind):
    """A constraint to an object that is not exported, moving over the frames."""
    distance, _ = measure
    scene = blender.bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 5
    ball = blender.bpy.data.objects.new("Ball", None)
    blender.bpy.context.collection.objects.link(ball)
    for frame, place in ((1, (0.0, 0.0, 1.0)), (5, (3.0, 0.0, 1.0))):
        ball.location = place
        ball.keyframe_insert("location", frame=frame)
    constraint = ada.armature.pose.bones["left_eye"].constraints.new("DAMPED_TRACK")
    constraint.target, constraint.track_axis = ball, "TRACK_Z"
    wanted = [blender.at(frame, ada.mesh) for frame in (1, 5)]
    assert distance(*wanted) > 1e-3
    mesh = blender.read(blender.export(kind, tmp_path))
    for frame, shape in zip((1, 5), wanted, strict=True):
        assert distance(blender.at(frame, mesh), shape) < 1e-4
