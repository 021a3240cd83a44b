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
from .png import png_bytes, png_steps

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
    """Pack the images of the surface in short steps."""
    name = image_name(rig.name, "Albedo")
    albedo = yield from packed_image_steps(name, rig.albedo, "sRGB")
    name = image_name(rig.name, "Confidence")
    confidence = yield from packed_image_steps(name, rig.confidence, "Non-Color")
    found = [albedo, confidence]
    for part, role, colour_space in OPTIONAL:
        pixels = getattr(rig, part)
        image = None
        if part in ESTIMATES and pixels is not None:
            png = yield from png_steps(pixels)
            image = estimate_image(rig.name, part, pixels.shape[0], png)
        elif pixels is not None:
            name = image_name(rig.name, role)
            image = yield from packed_image_steps(name, pixels, colour_space)
        found.append(image)
    return HeadImages(*found)


def estimate_image(head: str, part: str, side: int, png: bytes) -> bpy.types.Image:
    """Return a new packed image of one of ESTIMATES, marked as what it is."""
    role = next(role for name, role, _ in OPTIONAL if name == part)
    image = _empty_image(image_name(head, role), side, side, "Non-Color")
    fill_image(image, png)
    image[ESTIMATE] = True
    return image


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
        for part in ESTIMATES:
            image = getattr(images, part)
            if image is not None:
                link_estimate(material, part, image)
    slots = np.asarray(rig.eye_faces).astype(np.int32)
    mesh.data.polygons.foreach_set("material_index", slots)


def packed_image_steps(
    name: str, pixels: NDArray[np.uint8], colour_space: str
) -> Generator[None, None, bpy.types.Image]:
    """Return what packed_image does, in short steps; nothing is made before the last."""
    png = yield from png_steps(pixels)
    yield
    height, width = pixels.shape[:2]
    image = _empty_image(name, width, height, colour_space)
    fill_image(image, png)
    return image


def packed_image(name: str, pixels: NDArray[np.uint8], colour_space: str) -> bpy.types.Image:
    """Return a new packed image of (H, W, 3) or (H, W) u8 pixels, row 0 at the top."""
    height, width = pixels.shape[:2]
    image = _empty_image(name, width, height, colour_space)
    fill_image(image, png_bytes(pixels))
    return image


def _empty_image(name: str, width: int, height: int, colour_space: str) -> bpy.types.Image:
    image = bpy.data.images.new(name, width, height, alpha=False)
    # Changing the colour space later would throw the pixels away.
    image.colorspace_settings.name = colour_space
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


def link_estimate(material: bpy.types.Material, part: str, image: bpy.types.Image) -> None:
    """Link one of ESTIMATES to a material's shader, unless the artist linked something else."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    shader = next((node for node in nodes if node.bl_idname == SHADER), None)
    if shader is None:
        return
    socket = shader.inputs["Normal" if part == "normal_map" else "Roughness"]
    if socket.is_linked:
        return
    tree, active = material.node_tree, nodes.active
    x, y = shader.location.x, shader.location.y
    if part == "normal_map":
        node = _image_node(material, image, (x - 560.0, y - 1020.0))
        bend = tree.nodes.new("ShaderNodeNormalMap")
        bend.uv_map, bend.location = UV_MAP, (x - 240.0, y - 1020.0)
        tree.links.new(node.outputs["Color"], bend.inputs["Color"])
        tree.links.new(bend.outputs["Normal"], socket)
    else:
        node = _image_node(material, image, (x - 340.0, y - 720.0))
        tree.links.new(node.outputs["Color"], socket)
    node.label = f"{socket.name} (estimate)"
    nodes.active = active
