# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and materials of a head, packed into the .blend.

Does not know the mesh's shape. One texture serves two materials: skin, and glossier eyes.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import RigArrays
from .names import ESTIMATE, PRINT, UV_MAP, image_name, material_name
from .png import png_bytes

Setting = float | tuple[float, float, float]

SKIN: dict[str, Setting] = {
    "Roughness": 0.6,
    "Specular IOR Level": 0.2,
    "Subsurface Weight": 0.1,
    "Subsurface Radius": (1.0, 0.35, 0.2),
    "Subsurface Scale": 0.005,
}
EYES: dict[str, Setting] = {"Roughness": 0.12, "Specular IOR Level": 0.5}
SHADER = "ShaderNodeBsdfPrincipled"
NEURAL_PREVIEW = "NeuralPreview"
# What a head may lack: part, name of its image, colour space.
OPTIONAL = (
    ("neural_preview", NEURAL_PREVIEW, "sRGB"),
    ("normal_map", "Normal", "Non-Color"),
    ("roughness_map", "Roughness", "Non-Color"),
)
ESTIMATES = ("normal_map", "roughness_map")
CONFIDENCE_LABEL = "Confidence: white where the photo showed the surface"


@dataclass(frozen=True)
class HeadImages:
    """The images of a head's surface: colour, where the photo showed it, with networks what they
    make of it, and the estimates of its relief and gloss where there are any."""

    albedo: bpy.types.Image
    confidence: bpy.types.Image
    neural_preview: bpy.types.Image | None = None
    normal_map: bpy.types.Image | None = None
    roughness_map: bpy.types.Image | None = None


def head_images(rig: RigArrays) -> Generator[None, None, HeadImages]:
    """Pack the images of the surface, one per step."""
    albedo = packed_image(image_name(rig.name, "Albedo"), rig.albedo, "sRGB")
    yield
    confidence = packed_image(image_name(rig.name, "Confidence"), rig.confidence, "Non-Color")
    yield
    found = [albedo, confidence]
    for part, role, colour_space in OPTIONAL:
        pixels = getattr(rig, part)
        image = None
        if pixels is not None:
            image = packed_image(image_name(rig.name, role), pixels, colour_space)
            if part in ESTIMATES:
                image[ESTIMATE] = True
            yield
        found.append(image)
    return HeadImages(*found)


def add_materials(mesh: bpy.types.Object, rig: RigArrays, images: HeadImages) -> None:
    """Give the mesh slot 0 skin and slot 1 eyes, and assign every face to one of them.

    The confidence image stands unlinked in the skin's node tree, ready to be used as a mask; so
    does the neural preview, to be taken instead of the albedo. Estimates of relief and gloss are
    linked, and their nodes say what they are.
    """
    skin = _material(material_name(rig.name, "Skin"), images.albedo, SKIN)
    _add_unlinked_image(skin, images.confidence, CONFIDENCE_LABEL, -120.0)
    if images.neural_preview is not None:
        _add_unlinked_image(skin, images.neural_preview, NEURAL_PREVIEW, -420.0)
    mesh.data.materials.append(skin)
    eyes = _material(material_name(rig.name, "Eyes"), images.albedo, EYES)
    mesh.data.materials.append(eyes)
    for material in (skin, eyes):
        _add_estimates(material, images)
    slots = np.asarray(rig.eye_faces).astype(np.int32)
    mesh.data.polygons.foreach_set("material_index", slots)


def packed_image(name: str, pixels: NDArray[np.uint8], colour_space: str) -> bpy.types.Image:
    """Return a new packed image of (H, W, 3) or (H, W) u8 pixels, row 0 at the top."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=False)
    # Changing the colour space later would throw the pixels away.
    image.colorspace_settings.name = colour_space
    fill_image(image, png_bytes(pixels))
    return image


def fill_image(image: bpy.types.Image, png: bytes) -> None:
    """Replace what an image holds by a packed PNG (png_bytes), and remember its fingerprint."""
    image.pack(data=png, data_len=len(png))
    image.source = "FILE"
    image.buffers_free()
    image[PRINT] = _fingerprint(png)


def is_painted(image: bpy.types.Image) -> bool:
    """Whether an image no longer holds what fill_image put there."""
    packed = image.packed_file
    return image.is_dirty or packed is None or image.get(PRINT) != _fingerprint(packed.data)


def _fingerprint(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"


def _material(
    name: str, albedo: bpy.types.Image, settings: dict[str, Setting]
) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.bl_idname == SHADER)
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = albedo
    texture.label = "Albedo"
    texture.location = (shader.location.x - 340.0, shader.location.y)
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    # Solid view and texture painting show the active image.
    tree.nodes.active = texture
    for socket, value in settings.items():
        shader.inputs[socket].default_value = value
    return material


def _add_unlinked_image(
    material: bpy.types.Material, image: bpy.types.Image, label: str, height: float
) -> None:
    _image_node(material, image, (-340.0, height)).label = label


def _image_node(
    material: bpy.types.Material, image: bpy.types.Image, place: tuple[float, float]
) -> bpy.types.ShaderNodeTexImage:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.location = place
    return node


def _add_estimates(material: bpy.types.Material, images: HeadImages) -> None:
    """Link the normal map and the roughness map to the shader, as far as there are any."""
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.bl_idname == SHADER)
    albedo = tree.nodes.active
    x, y = shader.location
    if images.roughness_map is not None:
        gloss = _image_node(material, images.roughness_map, (x - 340.0, y - 720.0))
        gloss.label = "Roughness (estimate)"
        tree.links.new(gloss.outputs["Color"], shader.inputs["Roughness"])
    if images.normal_map is not None:
        relief = _image_node(material, images.normal_map, (x - 560.0, y - 1020.0))
        relief.label = "Normal (estimate)"
        bend = tree.nodes.new("ShaderNodeNormalMap")
        bend.uv_map = UV_MAP
        bend.location = (x - 240.0, y - 1020.0)
        tree.links.new(relief.outputs["Color"], bend.inputs["Color"])
        tree.links.new(bend.outputs["Normal"], shader.inputs["Normal"])
    tree.nodes.active = albedo
