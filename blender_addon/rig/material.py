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
from .names import PRINT, image_name, material_name
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
CONFIDENCE_LABEL = "Confidence: white where the photo showed the surface"


@dataclass(frozen=True)
class HeadImages:
    """The images of a head's surface: colour, where the photo showed it, and, with networks,
    what they make of it."""

    albedo: bpy.types.Image
    confidence: bpy.types.Image
    neural_preview: bpy.types.Image | None = None


def head_images(rig: RigArrays) -> Generator[None, None, HeadImages]:
    """Pack the images of the surface, one per step."""
    albedo = packed_image(image_name(rig.name, "Albedo"), rig.albedo, "sRGB")
    yield
    confidence = packed_image(image_name(rig.name, "Confidence"), rig.confidence, "Non-Color")
    yield
    if rig.neural_preview is None:
        return HeadImages(albedo, confidence)
    preview = packed_image(image_name(rig.name, NEURAL_PREVIEW), rig.neural_preview, "sRGB")
    yield
    return HeadImages(albedo, confidence, preview)


def add_materials(mesh: bpy.types.Object, rig: RigArrays, images: HeadImages) -> None:
    """Give the mesh slot 0 skin and slot 1 eyes, and assign every face to one of them.

    The confidence image stands unlinked in the skin's node tree, ready to be used as a mask; so
    does the neural preview, to be taken instead of the albedo.
    """
    skin = _material(material_name(rig.name, "Skin"), images.albedo, SKIN)
    _add_unlinked_image(skin, images.confidence, CONFIDENCE_LABEL, -120.0)
    if images.neural_preview is not None:
        _add_unlinked_image(skin, images.neural_preview, NEURAL_PREVIEW, -420.0)
    mesh.data.materials.append(skin)
    eyes = _material(material_name(rig.name, "Eyes"), images.albedo, EYES)
    mesh.data.materials.append(eyes)
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
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    node.label = label
    node.location = (-340.0, height)
