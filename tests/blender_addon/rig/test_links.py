# SPDX-License-Identifier: GPL-3.0-or-later
"""A head's parts are found whatever they are called, also in another file."""

from __future__ import annotations

from blender_addon.rig.links import PARTS, is_head, linked_part


def test_every_part_is_linked(built):
    assert linked_part(built.mesh, "camera") == built.camera
    images = {part: linked_part(built.mesh, part) for part in PARTS if part != "camera"}
    assert {part: image.name for part, image in images.items()} == {
        "albedo": "Ada Albedo",
        "confidence": "Ada Confidence",
        "photo": "Ada Photo",
    }


def test_renaming_does_not_lose_a_part(built):
    linked_part(built.mesh, "albedo").name = "my skin"
    assert linked_part(built.mesh, "albedo").name == "my skin"


def test_a_deleted_part_is_none(empty_blender, built):
    empty_blender.data.objects.remove(built.camera)
    assert linked_part(built.mesh, "camera") is None


def test_only_the_mesh_is_the_head(empty_blender, built):
    assert is_head(built.mesh)
    plain = empty_blender.data.objects.new("plain", empty_blender.data.meshes.new("plain"))
    for other in (built.armature, built.camera, plain, None):
        assert not is_head(other)


def test_appended_into_another_file_the_parts_come_along(empty_blender, built, tmp_path):
    path = tmp_path / "ada.blend"
    empty_blender.ops.wm.save_as_mainfile(filepath=str(path))
    empty_blender.ops.wm.read_factory_settings(use_empty=True)
    with empty_blender.data.libraries.load(str(path)) as (found, wanted):
        wanted.collections = ["Ada"]
    mesh = empty_blender.data.objects["Ada"]
    assert is_head(mesh)
    assert linked_part(mesh, "camera").type == "CAMERA"
    assert linked_part(mesh, "albedo").packed_file is not None
