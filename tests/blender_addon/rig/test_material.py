# SPDX-License-Identifier: GPL-3.0-or-later
"""Textures reach Blender unchanged and the right way up, and eyes shine more than skin.

Does not know the mesh's deformation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blender_addon.rig.build import build_head
from blender_addon.rig.links import NEURAL_PREVIEW, linked_part
from blender_addon.rig.update import update_steps


def _run(steps):
    for _ in steps:
        pass


def bytes_of(image):
    width, height = image.size
    pixels = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(pixels)
    rows = np.rint(pixels.reshape(height, width, 4) * 255.0).astype(np.uint8)
    return rows[::-1, :, :3]


def test_pixels_survive_packing_saving_and_opening(empty_blender, built, rig, tmp_path):
    path = tmp_path / "ada.blend"
    empty_blender.ops.wm.save_as_mainfile(filepath=str(path))
    empty_blender.ops.wm.open_mainfile(filepath=str(path))
    images = empty_blender.data.images
    assert np.array_equal(bytes_of(images["Ada Albedo"]), rig.albedo)
    assert np.array_equal(bytes_of(images["Ada Photo"]), rig.photo)
    assert np.array_equal(bytes_of(images["Ada Confidence"])[..., 1], rig.confidence)
    assert images["Ada Albedo"].colorspace_settings.name == "sRGB"
    assert images["Ada Confidence"].colorspace_settings.name == "Non-Color"


def shader_of(material):
    nodes = material.node_tree.nodes
    return next(n for n in nodes if n.bl_idname == "ShaderNodeBsdfPrincipled")


def test_skin_and_eyes_share_the_albedo_and_differ_in_gloss(built):
    skin, eyes = built.mesh.data.materials
    for material in (skin, eyes):
        link = shader_of(material).inputs["Base Color"].links[0]
        assert link.from_node.image.name == "Ada Albedo"
    assert (
        shader_of(eyes).inputs["Roughness"].default_value
        < shader_of(skin).inputs["Roughness"].default_value
    )


def test_eye_faces_use_the_eye_slot(built, rig):
    slots = np.array([polygon.material_index for polygon in built.mesh.data.polygons])
    assert np.array_equal(slots == 1, rig.eye_faces) and 0 < rig.eye_faces.sum() < len(slots)


def test_the_confidence_stands_ready_but_unlinked(built):
    nodes = built.mesh.data.materials[0].node_tree.nodes
    node = next(n for n in nodes if getattr(n, "image", None) and "Confidence" in n.image.name)
    assert not node.outputs["Color"].is_linked


def test_the_albedo_is_what_viewports_show_and_brushes_paint(built):
    for material in built.mesh.data.materials:
        assert material.node_tree.nodes.active.image.name == "Ada Albedo"


def test_a_neural_preview_stands_beside_the_albedo_and_follows_an_update(empty_blender, rig):
    first = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    built = build_head(replace(rig, neural_preview=first))
    image = linked_part(built.mesh, NEURAL_PREVIEW)
    assert image.name == "Ada NeuralPreview" and np.array_equal(bytes_of(image), first)
    nodes = built.mesh.data.materials[0].node_tree.nodes
    node = next(n for n in nodes if getattr(n, "image", None) == image)
    assert node.label == "NeuralPreview" and not node.outputs["Color"].is_linked
    _run(update_steps(built.mesh, replace(rig, neural_preview=first // 2)))
    assert np.array_equal(bytes_of(image), first // 2)
    _run(update_steps(built.mesh, rig))
    assert np.array_equal(bytes_of(image), first // 2)


def _with_estimates(rig):
    side = rig.albedo.shape[0]
    slope = np.tile(np.arange(side, dtype=np.uint8) * 8, (side, 1))
    normal = np.dstack([slope, slope.T, np.full_like(slope, 250)])
    return replace(rig, normal_map=normal, roughness_map=slope.T.copy())


def test_estimates_are_linked_as_data_and_marked(empty_blender, rig):
    rig = _with_estimates(rig)
    built = build_head(rig)
    for role, pixels in (("normal_map", rig.normal_map), ("roughness_map", rig.roughness_map)):
        image = linked_part(built.mesh, role)
        assert image.colorspace_settings.name == "Non-Color" and image["rome_estimate"]
        found = bytes_of(image)
        assert np.array_equal(found if pixels.ndim == 3 else found[..., 0], pixels)
    assert linked_part(built.mesh, "normal_map").name == "Ada Normal"
    assert linked_part(built.mesh, "roughness_map").name == "Ada Roughness"
    for material in built.mesh.data.materials:
        shader = shader_of(material)
        gloss = shader.inputs["Roughness"].links[0].from_node
        assert gloss.image.name == "Ada Roughness" and "estimate" in gloss.label
        bend = shader.inputs["Normal"].links[0].from_node
        assert (bend.bl_idname, bend.space) == ("ShaderNodeNormalMap", "TANGENT")
        assert bend.uv_map == built.mesh.data.uv_layers[0].name
        relief = bend.inputs["Color"].links[0].from_node
        assert relief.image.name == "Ada Normal" and "estimate" in relief.label
        assert material.node_tree.nodes.active.image.name == "Ada Albedo"


def test_estimates_follow_an_update_unless_painted(empty_blender, rig):
    rig = _with_estimates(rig)
    built = build_head(rig)
    painted = linked_part(built.mesh, "roughness_map")
    painted.pixels[0] = 0.5
    painted.update()
    before = bytes_of(painted)
    other = replace(rig, normal_map=rig.normal_map // 2, roughness_map=rig.roughness_map // 2)
    _run(update_steps(built.mesh, other))
    assert np.array_equal(bytes_of(linked_part(built.mesh, "normal_map")), other.normal_map)
    assert np.array_equal(bytes_of(painted), before)


def test_a_head_without_estimates_gets_them_by_an_update(empty_blender, rig):
    built = build_head(rig)
    skin, eyes = built.mesh.data.materials
    own = skin.node_tree.nodes.new("ShaderNodeValue")
    skin.node_tree.links.new(own.outputs[0], shader_of(skin).inputs["Roughness"])
    wanted = _with_estimates(rig)
    _run(update_steps(built.mesh, wanted))
    image = linked_part(built.mesh, "normal_map")
    assert image["rome_estimate"] and np.array_equal(bytes_of(image), wanted.normal_map)
    for material in (skin, eyes):
        bend = shader_of(material).inputs["Normal"].links[0].from_node
        assert bend.inputs["Color"].links[0].from_node.image == image
    assert shader_of(skin).inputs["Roughness"].links[0].from_node == own  # the artist's
    gloss = shader_of(eyes).inputs["Roughness"].links[0].from_node
    assert gloss.image == linked_part(built.mesh, "roughness_map")


def test_a_map_that_an_artist_removed_stays_away(empty_blender, rig):
    rig = _with_estimates(rig)
    built = build_head(rig)
    empty_blender.data.images.remove(linked_part(built.mesh, "normal_map"))
    _run(update_steps(built.mesh, rig))
    assert linked_part(built.mesh, "normal_map") is None
    assert not [image for image in empty_blender.data.images if "Normal" in image.name]


def test_a_head_without_estimates_has_one_roughness(built):
    assert linked_part(built.mesh, "normal_map") is None
    for material in built.mesh.data.materials:
        shader = shader_of(material)
        assert not shader.inputs["Roughness"].is_linked and not shader.inputs["Normal"].is_linked


def test_without_networks_there_is_none(built):
    assert linked_part(built.mesh, NEURAL_PREVIEW) is None
