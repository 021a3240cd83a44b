# SPDX-License-Identifier: Apache-2.0
"""A GLB decoded by the letter of the specification is the rig, and Blender reads it so too.

Does not know how the rig was made.
"""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from io import BytesIO

import numpy as np
import pygltflib
import pytest
from PIL import Image

from rome_backend.core.errors import UsageError
from rome_backend.core.normals import vertex_normals
from rome_backend.export.glb import influences, write_glb
from rome_backend.export.gltf_buffer import GltfBuffer
from rome_backend.export.rest_shape import cut_at_seams, shown_vertices

DTYPES = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Decoder:
    """Reads accessors of a GLB file, sparse ones included, from nothing but the bytes."""

    def __init__(self, content: bytes) -> None:
        magic, version, length = struct.unpack("<4sII", content[:12])
        assert (magic, version, length) == (b"glTF", 2, len(content))
        size, kind = struct.unpack("<I4s", content[12:20])
        assert kind == b"JSON"
        self.json = json.loads(content[20 : 20 + size])
        self.blob = content[20 + size + 8 :]

    def _raw(self, view, offset, dtype, count):
        start = self.json["bufferViews"][view].get("byteOffset", 0) + (offset or 0)
        return np.frombuffer(self.blob, dtype, count, start)

    def accessor(self, index):
        facts = self.json["accessors"][index]
        width, dtype = WIDTHS[facts["type"]], DTYPES[facts["componentType"]]
        values = np.zeros((facts["count"], width), dtype)
        if facts.get("bufferView") is not None:
            flat = self._raw(facts["bufferView"], facts.get("byteOffset"), dtype, values.size)
            values = flat.reshape(values.shape)
        sparse = facts.get("sparse")
        if sparse:
            rows = sparse["indices"]
            places = self._raw(
                rows["bufferView"],
                rows.get("byteOffset"),
                DTYPES[rows["componentType"]],
                sparse["count"],
            )
            assert np.all(np.diff(places.astype(int)) > 0)
            data = sparse["values"]
            stored = self._raw(
                data["bufferView"], data.get("byteOffset"), dtype, sparse["count"] * width
            )
            values[places] = stored.reshape(-1, width)
        if "min" in facts:
            assert np.array_equal(values.min(axis=0), np.array(facts["min"], dtype))
            assert np.array_equal(values.max(axis=0), np.array(facts["max"], dtype))
        return values


@pytest.fixture(scope="module")
def glb(rig, tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "ada.glb"
    write_glb(rig, path)
    return path


@pytest.fixture(scope="module")
def decoder(glb):
    return Decoder(glb.read_bytes())


@pytest.fixture(scope="module")
def attributes(decoder):
    primitives = decoder.json["meshes"][0]["primitives"]
    assert all(p["attributes"] == primitives[0]["attributes"] for p in primitives)
    return {name: decoder.accessor(i) for name, i in primitives[0]["attributes"].items()}


def test_every_corner_has_its_position_and_uv(decoder, attributes, rig):
    """Faces keep their order within skin and eyes; v points down in glTF."""
    primitives = decoder.json["meshes"][0]["primitives"]
    origin = np.array(rig.properties["origin"])
    for primitive, chosen in zip(primitives, (~rig.eye_faces, rig.eye_faces), strict=True):
        corners = decoder.accessor(primitive["indices"])[:, 0]
        positions = rig.vertices[rig.faces[chosen].ravel()] - origin
        assert np.allclose(attributes["POSITION"][corners], positions, atol=1e-6)
        uvs = rig.uvs[rig.uv_faces[chosen].ravel()]
        found = attributes["TEXCOORD_0"][corners]
        assert np.allclose(found, np.stack([uvs[:, 0], 1.0 - uvs[:, 1]], 1), atol=1e-6)
    materials = [decoder.json["materials"][p["material"]] for p in primitives]
    assert [m["name"] for m in materials] == ["Skin", "Eyes"]
    gloss = [m["pbrMetallicRoughness"]["roughnessFactor"] for m in materials]
    assert gloss[1] < gloss[0]


def test_normals_are_those_of_the_shown_shape(attributes, rig):
    wanted = vertex_normals(1e3 * shown_vertices(rig), rig.faces)[cut_at_seams(rig).source]
    assert np.allclose(attributes["NORMAL"], wanted, atol=1e-5)
    assert np.allclose(np.linalg.norm(attributes["NORMAL"], axis=1), 1.0, atol=1e-5)


def test_every_shape_key_is_a_named_target(decoder, rig):
    mesh = decoder.json["meshes"][0]
    assert mesh["extras"]["targetNames"] == [key.name for key in rig.keys]
    assert mesh["weights"] == pytest.approx([key.value for key in rig.keys])
    source = cut_at_seams(rig).source
    for primitive in mesh["primitives"]:
        for key, target in zip(rig.keys, primitive["targets"], strict=True):
            found = decoder.accessor(target["POSITION"])
            assert np.abs(found - key.delta[source]).max() < 2e-6


def test_local_targets_are_sparse_and_empty_ones_cost_nothing(rig, tmp_path):
    still = tuple(replace(key, delta=np.zeros_like(key.delta)) for key in rig.keys)
    write_glb(replace(rig, keys=still), tmp_path / "still.glb")
    write_glb(replace(rig, keys=()), tmp_path / "none.glb")
    still_size = (tmp_path / "still.glb").stat().st_size
    per_key = (still_size - (tmp_path / "none.glb").stat().st_size) / len(rig.keys)
    assert per_key < 250  # names and bounds, no data


def test_skin_places_every_joint_and_binds_at_rest(decoder, rig):
    nodes, skin = decoder.json["nodes"], decoder.json["skins"][0]
    origin = np.array(rig.properties["origin"])
    places = {}

    def walk(index, above):
        places[index] = above + np.array(nodes[index].get("translation", (0.0, 0.0, 0.0)))
        for child in nodes[index].get("children", ()):
            walk(child, places[index])

    for index in decoder.json["scenes"][0]["nodes"]:
        walk(index, np.zeros(3))
    assert [nodes[i]["name"] for i in skin["joints"]] == list(rig.joint_names)
    for node, joint in zip(skin["joints"], rig.joints, strict=True):
        assert np.allclose(places[node], joint - origin, atol=1e-6)
    inverse = decoder.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
    wanted = np.tile(np.eye(4), (len(rig.joints), 1, 1))
    wanted[:, 3, :3] = -(rig.joints - origin)  # columns first
    assert np.allclose(inverse, wanted, atol=1e-6)


def test_weights_survive_in_sets_of_four(attributes, rig):
    source = cut_at_seams(rig).source
    found = np.zeros((len(source), len(rig.joint_names)))
    for number in range(2):
        joints, weights = attributes[f"JOINTS_{number}"], attributes[f"WEIGHTS_{number}"]
        for column in range(4):
            np.add.at(found, (np.arange(len(source)), joints[:, column]), weights[:, column])
    assert np.allclose(found, rig.weights[source], atol=1e-6)
    assert np.all(attributes["WEIGHTS_0"].min(axis=1) >= attributes["WEIGHTS_1"].max(axis=1))


def test_four_joints_need_one_set_and_unused_slots_are_joint_zero():
    weights = np.array([[0, 0.25, 0, 0.75, 0], [0, 0, 1, 0, 0]], np.float32)
    ((joints, values),) = influences(weights)
    assert joints.tolist() == [[3, 1, 0, 0], [2, 0, 0, 0]]
    assert values.tolist() == [[0.75, 0.25, 0, 0], [1, 0, 0, 0]]


def test_texture_and_licences_travel_inside(decoder, rig):
    image = decoder.json["images"][0]
    view = decoder.json["bufferViews"][image["bufferView"]]
    data = decoder.blob[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    with Image.open(BytesIO(data)) as picture:
        assert picture.format == "JPEG" and picture.size == rig.albedo.shape[1::-1]
        difference = np.asarray(picture).astype(int) - rig.albedo
    assert np.abs(difference).mean() < 6.0  # of pure noise, the worst case for JPEG
    asset = decoder.json["asset"]
    assert "Apache-2.0" in asset["copyright"]
    assert asset["extras"]["licences"] == rig.properties["licences"]
    assert asset["extras"]["rome"]["head_model"] == "synthetic"


@pytest.fixture(scope="module")
def estimated(rig):
    """The rig with maps that vary slowly, as JPEG keeps them."""
    slope = np.tile(np.linspace(40, 215, rig.albedo.shape[0]).astype(np.uint8), (32, 1))
    normal = np.dstack([slope, slope.T, np.full_like(slope, 250)])
    return replace(rig, normal_map=normal, roughness_map=slope.T.copy())


def test_estimates_lie_where_gltf_wants_them(estimated, tmp_path):
    write_glb(estimated, tmp_path / "ada.glb")
    document = Decoder((tmp_path / "ada.glb").read_bytes())
    pictures = []
    for image in document.json["images"]:
        view = document.json["bufferViews"][image["bufferView"]]
        data = document.blob[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        with Image.open(BytesIO(data)) as picture:
            pictures.append((image, np.asarray(picture).astype(int)))
    for material in document.json["materials"]:
        surface = material["pbrMetallicRoughness"]
        places = [
            surface["baseColorTexture"], material["normalTexture"],
            surface["metallicRoughnessTexture"],
        ]  # fmt: skip
        sources = [document.json["textures"][place["index"]]["source"] for place in places]
        assert (sources, surface["roughnessFactor"], surface["metallicFactor"]) == ([0, 1, 2], 1, 0)
    names = [image["name"] for image, _ in pictures]
    assert names == ["Ada Albedo", "Ada Normal", "Ada Roughness"]
    assert [image.get("extras") for image, _ in pictures[1:]] == 2 * [{"rome_estimate": True}]
    assert np.abs(pictures[1][1] - estimated.normal_map).max() <= 6
    assert np.abs(pictures[2][1][..., 1] - estimated.roughness_map.astype(int)).max() <= 6
    assert pictures[2][1][..., 2].max() <= 6  # no metal


def test_without_estimates_each_material_has_one_roughness(decoder):
    skin, eyes = decoder.json["materials"]
    assert "normalTexture" not in skin and "metallicRoughnessTexture" not in str(skin)
    found = [each["pbrMetallicRoughness"]["roughnessFactor"] for each in (skin, eyes)]
    assert found[0] > found[1]


def test_pygltflib_reads_it_back(glb, rig):
    document = pygltflib.GLTF2().load(str(glb))
    assert len(document.meshes[0].primitives[0].targets) == len(rig.keys)
    assert document.buffers[0].byteLength == len(document.binary_blob())


def test_a_folder_that_is_absent_is_a_usage_error(rig, tmp_path):
    with pytest.raises(UsageError):
        write_glb(rig, tmp_path / "absent" / "ada.glb")
    assert not list(tmp_path.iterdir())


def test_a_head_without_eyes_has_one_primitive(rig, tmp_path):
    blind = replace(rig, eye_faces=np.zeros_like(rig.eye_faces))
    write_glb(blind, tmp_path / "a.glb")
    meshes = Decoder((tmp_path / "a.glb").read_bytes()).json["meshes"]
    assert [p["material"] for p in meshes[0]["primitives"]] == [0]


@pytest.mark.parametrize("count", [10, 65_534, 65_536])
def test_indices_grow_when_sixteen_bits_are_too_few(count):
    buffer = GltfBuffer()
    corners = np.array([0, 1, count - 1])
    buffer.add_bytes(b"odd")
    accessor = buffer.accessors[buffer.add_indices(corners)]
    view = buffer.views[accessor.bufferView]
    dtype = DTYPES[accessor.componentType]
    assert view.byteOffset % 4 == 0
    found = np.frombuffer(buffer.blob(), dtype, 3, view.byteOffset)
    assert found.tolist() == corners.tolist()
    assert (dtype == "u1", dtype == "<u2") == (False, count < 65_536)


@pytest.fixture
def imported(glb):
    """The GLB as Blender's own importer reads it."""
    bpy = pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    import addon_utils

    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("io_scene_gltf2")
    bpy.ops.import_scene.gltf(filepath=str(glb))
    yield bpy
    # bpy crashes at exit while operators are registered.
    addon_utils.disable("io_scene_gltf2")
    bpy.ops.wm.read_factory_settings(use_empty=True)


def test_blender_imports_the_same_surface_keys_and_bones(imported, rig):
    mesh = next(o for o in imported.data.objects if o.type == "MESH" and o.data.shape_keys)
    origin = np.array(rig.properties["origin"])
    blocks = mesh.data.shape_keys.key_blocks
    assert list(blocks.keys())[1:] == [key.name for key in rig.keys]
    assert [b.value for b in blocks[1:]] == pytest.approx([k.value for k in rig.keys], abs=1e-6)
    found = np.array([v.co for v in blocks[0].data])
    # Blender is Z up: (x, y, z) of glTF is (x, -z, y) there.
    wanted = (rig.vertices - origin) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    distance = np.linalg.norm(found[:, None] - wanted[None], axis=2)
    assert distance.min(axis=1).max() < 1e-5 and distance.min(axis=0).max() < 1e-5
    key = next(k for k in rig.keys if k.name == "jawOpen")
    nearest = distance.argmin(axis=1)
    moved = np.array([v.co for v in blocks["jawOpen"].data]) - found
    delta = key.delta @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert np.abs(moved - delta[nearest]).max() < 1e-5
    armature = next(o for o in imported.data.objects if o.type == "ARMATURE")
    heads = {bone.name: np.array(bone.head_local) for bone in armature.data.bones}
    assert set(heads) == set(rig.joint_names)
    place = np.array(armature.matrix_world)
    for name, joint in zip(rig.joint_names, rig.joints, strict=True):
        turned = (joint - origin) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
        world = place[:3, :3] @ heads[name] + place[:3, 3]
        assert np.allclose(world, turned, atol=1e-5)
