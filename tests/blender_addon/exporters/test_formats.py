# SPDX-License-Identifier: GPL-3.0-or-later
"""Every format, exported and read back by Blender: the same shape, names, values and texture.

What Blender's importers cannot do stands in docs/export.md; the tests say so where they help them.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

KINDS = ("glb", "fbx", "usd", "obj", "alembic")
WITH_KEYS = ("glb", "fbx", "usd")
TOLERANCE = 1e-4
FRAMES = (1, 3, 5)


def _widen(mesh):
    """Blender's glTF and USD importers leave sliders at 0..1, which clamps animation."""
    for block in mesh.data.shape_keys.key_blocks:
        block.slider_min, block.slider_max = -10.0, 10.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_posed_head_comes_back_in_place(blender, measure, read_back, ada, tmp_path, kind):
    """Bones, keys outside 0..1 (but for USD's expressions), drivers and the object's place."""
    distance, _ = measure
    if kind == "usd":
        ada.mesh.data.shape_keys.key_blocks["jawOpen"].value = 0.9
    wanted = blender.world(ada.mesh)
    found = blender.world(read_back(ada, kind, tmp_path))
    assert distance(found, wanted) < TOLERANCE
    if kind != "glb":  # glTF cuts the surface at UV seams
        assert np.abs(found - wanted).max() < TOLERANCE


@pytest.mark.parametrize("kind", WITH_KEYS)
def test_names_of_keys_and_bones_come_back(blender, measure, ada, tmp_path, kind):
    _, keys_of = measure
    wanted = set(keys_of(ada.mesh))
    found = blender.read(blender.export(kind, tmp_path))
    assert set(keys_of(found)) == wanted
    assert blender.bones() == {"root", "neck", "jaw", "left_eye", "right_eye"}


@pytest.mark.parametrize("kind", ("glb", "fbx"))
def test_values_outside_zero_to_one_come_back(blender, measure, ada, tmp_path, kind):
    _, keys_of = measure
    wanted = keys_of(ada.mesh)
    assert wanted["jawOpen"] == 1.5 and wanted["Hair01"] == -2.5 and wanted["Pose14"] != 0.0
    found = keys_of(blender.read(blender.export(kind, tmp_path)))
    assert found == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("kind", WITH_KEYS)
def test_keys_still_do_what_they_did(blender, measure, read_back, ada, tmp_path, kind):
    """Also those that USD starts at zero: each adds its own movement to what is shown."""
    distance, _ = measure
    blocks = ada.mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].value = 0.0
    before = blocks["Hair03"].value
    blocks["jawOpen"].value, blocks["Hair03"].value = 1.0, before + 0.5
    wanted = blender.world(ada.mesh)
    blocks["jawOpen"].value, blocks["Hair03"].value = 0.0, before
    mesh = read_back(ada, kind, tmp_path)
    _widen(mesh)
    if mesh.data.shape_keys.animation_data:
        mesh.data.shape_keys.animation_data_clear()
    blocks = mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].value, blocks["Hair03"].value = 1.0, blocks["Hair03"].value + 0.5
    assert distance(blender.world(mesh), wanted) < TOLERANCE


@pytest.mark.parametrize("kind", ("glb", "fbx", "usd", "alembic"))
def test_animation_comes_back_frame_by_frame(blender, measure, moving, tmp_path, kind):
    """Keys beyond 1, turning bones, and the correctives that drivers move along."""
    distance, _ = measure
    wanted = [blender.at(frame, moving.mesh) for frame in FRAMES]
    assert distance(wanted[0], wanted[2]) > 0.01
    blender.bpy.context.scene.frame_set(3)
    mesh = blender.read(blender.export(kind, tmp_path))
    if kind in ("glb", "usd"):
        _widen(mesh)
    for frame, shape in zip(FRAMES, wanted, strict=True):
        assert distance(blender.at(frame, mesh), shape) < TOLERANCE, frame


def test_the_keys_of_a_glb_move_positions_alone(blender, rig, ada, tmp_path):
    """Their normals would cost most of the export's time and half of the file."""
    data = blender.export("glb", tmp_path).read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document = json.loads(data[20 : 20 + length])
    targets = [t for mesh in document["meshes"] for p in mesh["primitives"] for t in p["targets"]]
    assert len(targets) >= len(rig.keys)
    assert all(set(target) == {"POSITION"} for target in targets)
    assert all("NORMAL" in p["attributes"] for m in document["meshes"] for p in m["primitives"])


@pytest.mark.parametrize("kind", ("glb", "fbx", "usd", "alembic"))
def test_without_animation_the_shown_frame_is_exported(
    blender, measure, read_back, moving, tmp_path, kind
):
    """Values that were set but never keyed are what is shown, too."""
    distance, _ = measure
    blender.bpy.context.scene.frame_set(3)
    blocks = moving.mesh.data.shape_keys.key_blocks
    blocks["jawOpen"].value, blocks["Hair02"].value = 0.7, 2.5
    wanted = blender.world(moving.mesh)
    mesh = read_back(moving, kind, tmp_path, animated=False)
    for frame in (1, 5):
        assert distance(blender.at(frame, mesh), wanted) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_uvs_come_back(blender, ada, tmp_path, kind):
    def corners(mesh):
        uvs = np.empty(2 * len(mesh.data.loops), np.float32)
        mesh.data.uv_layers[0].data.foreach_get("uv", uvs)
        uvs = uvs.reshape(-1, 2)
        return uvs[np.lexsort(np.round(uvs.T, 4))]

    wanted = corners(ada.mesh)
    found = corners(blender.read(blender.export(kind, tmp_path)))
    assert np.abs(found - wanted).max() < TOLERANCE


@pytest.mark.parametrize("kind", ("glb", "fbx", "usd", "obj"))
def test_the_texture_comes_back(blender, rig, ada, tmp_path, kind):
    mesh = blender.read(blender.export(kind, tmp_path))
    assert len(mesh.data.materials) == 2
    shown = [_albedo(material) for material in mesh.data.materials]
    assert shown[0] == shown[1]
    pixels = np.empty(4 * 32 * 32, np.float32)
    shown[0].pixels.foreach_get(pixels)
    found = np.round(255 * pixels.reshape(32, 32, 4)[::-1, :, :3])
    assert np.array_equal(found, rig.albedo)


def _albedo(material):
    nodes = material.node_tree.nodes
    shader = next(node for node in nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    link = shader.inputs["Base Color"].links[0]
    while link.from_node.bl_idname != "ShaderNodeTexImage":  # OBJ's importer mixes
        link = next(each.links[0] for each in link.from_node.inputs if each.is_linked)
    return link.from_node.image


def test_alembic_has_its_texture_beside_it(blender, ada, tmp_path):
    blender.export("alembic", tmp_path)
    picture = tmp_path / "Ada_Albedo.png"
    assert picture.read_bytes() == blender.bpy.data.images["Ada Albedo"].packed_file.data


@pytest.mark.parametrize("suffix", (".usda", ".usdz"))
def test_other_kinds_of_usd(blender, measure, read_back, ada, tmp_path, suffix):
    distance, _ = measure
    ada.mesh.data.shape_keys.key_blocks["jawOpen"].value = 0.9
    wanted = blender.world(ada.mesh)
    found = read_back(ada, "usd", tmp_path, path=tmp_path / f"Ada{suffix}")
    assert distance(blender.world(found), wanted) < TOLERANCE
    assert (tmp_path / "Ada_Albedo.png").exists() == (suffix == ".usda")


def test_usd_holds_expressions_beyond_one(blender, ada, tmp_path):
    """Blender's importer clamps them; the file does not."""
    text = blender.export("usd", tmp_path, path=tmp_path / "Ada.usda").read_text()
    names = text.split("blendShapes = [")[1].split("]")[0].replace('"', "").split(", ")
    weights = text.split("blendShapeWeights")[1].split("[")[1].split("]")[0].split(", ")
    found = {name: float(weight) for name, weight in zip(names, weights, strict=True)}
    assert found["jawOpen"] == 1.5 and found["mouthSmileLeft"] == pytest.approx(0.4)
    assert found["Hair01"] == 0.0  # moved into the shape


@pytest.mark.parametrize("kind", ("glb", "usd", "obj", "alembic"))
def test_no_file_names_the_folder_it_was_made_in(blender, ada, tmp_path, kind):
    folder = tmp_path / "somewhere private"
    folder.mkdir()
    blender.export(kind, folder)  # FBX has a field for it, and Blender fills it
    for file in folder.iterdir():
        assert b"somewhere private" not in file.read_bytes(), file.name


def test_what_only_the_add_on_reads_stays_out(blender, ada, tmp_path):
    ada.mesh.data["rome_avatar"] = "secret avatar"
    for kind in KINDS:
        path = blender.export(kind, tmp_path, path=tmp_path / f"{kind}.{_suffix(kind)}")
        content = path.read_bytes()
        assert b"secret avatar" not in content and b"rome_offsets" not in content, kind
    text = blender.export("usd", tmp_path, path=tmp_path / "Ada.usda").read_text()
    assert "secret" not in text and "rome_" not in text


def _suffix(kind):
    return {"usd": "usdc", "alembic": "abc"}.get(kind, kind)


def test_a_missing_exporter_is_named():
    from blender_addon.exporters.formats import Format

    pytest.importorskip("bpy")
    gone = Format("Gone", (".gone",), "export_scene.gone", print, bool)
    assert gone.problem() == "Enable Blender's own Gone exporter in the preferences first"
    gone = Format("Gone", (".gone",), "wm.gone_export", print, bool)
    assert gone.problem() == "This Blender was built without Gone"


def test_suffixes():
    from pathlib import Path

    pytest.importorskip("bpy")
    from blender_addon.exporters.formats import GLB, USD

    assert GLB.with_suffix(Path("a/v1.2")) == Path("a/v1.2.glb")
    assert GLB.with_suffix(Path("Ada.GLB")) == Path("Ada.GLB")
    assert USD.with_suffix(Path("Ada.usdz")) == Path("Ada.usdz")
    assert USD.with_suffix(Path("Ada.glb")) == Path("Ada.glb.usdc")


@pytest.fixture
def estimated(enabled, rig):
    """A head with estimates of its relief and gloss."""
    from blender_addon.rig.build import build_head

    slope = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    normal = np.dstack([slope, slope.T, np.full_like(slope, 250)])
    built = build_head(replace(rig, normal_map=normal, roughness_map=slope.T.copy()))
    enabled.context.view_layer.update()
    return built


@pytest.mark.parametrize("kind", ("glb", "fbx", "usd", "obj"))
def test_estimated_maps_come_back_where_they_belong(blender, estimated, tmp_path, kind):
    mesh = blender.read(blender.export(kind, tmp_path))
    for material in mesh.data.materials:
        for socket, channel in (("Roughness", 1), ("Normal", 0)):
            image = _behind(material, socket)
            pixels = np.empty(4 * 32 * 32, np.float32)
            image.pixels.foreach_get(pixels)
            found = np.round(255 * pixels.reshape(32, 32, 4)[::-1, :, channel])
            wanted = np.tile(np.arange(32) * 8.0, (32, 1))
            wanted = wanted.T if socket == "Roughness" else wanted
            assert np.abs(found - wanted).max() <= 1, socket
            # Blender's OBJ importer takes every map for a colour.
            assert (image.colorspace_settings.name != "sRGB") == (kind != "obj")


def _behind(material, socket):
    """The image that a socket of a material's shader is fed by."""
    nodes = material.node_tree.nodes
    shader = next(node for node in nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    link = shader.inputs[socket].links[0]
    while link.from_node.bl_idname != "ShaderNodeTexImage":
        link = next(each.links[0] for each in link.from_node.inputs if each.is_linked)
    return link.from_node.image
