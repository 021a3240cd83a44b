# SPDX-License-Identifier: Apache-2.0
"""Writes a rig as GLB 2.0: mesh, skin, every shape key as a morph target, textured materials.

Does not know Blender. glTF is Y up, in metres and faces +Z, as head space does; the rig's origin
moves to (0, 0, 0). glTF has no drivers: pose correctives are there by name, at zero, for
programs that set them. Source of the layout: glTF 2.0 specification, section 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pygltflib import (
    GLTF2,
    Asset,
    Attributes,
    Buffer,
    Image,
    Material,
    Mesh,
    Node,
    NormalMaterialTexture,
    PbrMetallicRoughness,
    Primitive,
    Sampler,
    Scene,
    Skin,
    Texture,
    TextureInfo,
)

import rome_backend
from rome_backend.core.atomic_file import replacing
from rome_backend.core.types import F32, U8, RigArrays
from rome_backend.export.gltf_buffer import GltfBuffer
from rome_backend.export.pictures import jpeg_bytes
from rome_backend.export.rest_shape import SeamMesh, cut_at_seams, origin_of, shown_normals

SKIN_ROUGHNESS, EYE_ROUGHNESS = 0.55, 0.12
SMALLEST_DISPLACEMENT = 1e-6
LINEAR, LINEAR_MIPMAP_LINEAR, CLAMP = 9729, 9987, 33071
INFLUENCES = 4


def write_glb(rig: RigArrays, path: Path | str) -> None:
    """Write the rig as one .glb; whole or not at all.

    Displacements below a micrometre are left out. Normals are those of the shape the stored key
    values show. Raises UsageError or OutOfResources where ``path`` cannot be written.
    """
    content = b"".join(glb_document(rig).save_to_bytes())
    with replacing(path) as file:
        file.write(content)


def glb_document(rig: RigArrays) -> GLTF2:
    """Return the rig as a glTF document with its binary buffer set."""
    buffer = GltfBuffer()
    surface = cut_at_seams(rig)
    pictures = gltf_pictures(rig)
    images = [_image(rig, role, pixels, buffer) for role, pixels in pictures.items()]
    places = {role: index for index, role in enumerate(pictures)}
    document = GLTF2(
        asset=_asset(rig),
        scene=0,
        scenes=[Scene(name=rig.name, nodes=[0, 1])],
        nodes=[Node(name=rig.name, mesh=0, skin=0), *_joint_nodes(rig)],
        meshes=[_mesh(rig, surface, buffer)],
        skins=[_skin(rig, buffer)],
        materials=[
            _material("Skin", SKIN_ROUGHNESS, places),
            _material("Eyes", EYE_ROUGHNESS, places),
        ],
        textures=[Texture(source=index, sampler=0) for index in range(len(images))],
        samplers=[
            Sampler(magFilter=LINEAR, minFilter=LINEAR_MIPMAP_LINEAR, wrapS=CLAMP, wrapT=CLAMP)
        ],
        images=images,
        bufferViews=buffer.views,
        accessors=buffer.accessors,
        buffers=[Buffer(byteLength=len(buffer.blob()))],
    )
    document.set_binary_blob(buffer.blob())
    return document


def _asset(rig: RigArrays) -> Asset:
    licences: dict[str, Any] = dict(rig.properties.get("licences", {}))
    return Asset(
        version="2.0",
        generator=f"ROME for Blender {rome_backend.__version__}",
        copyright="; ".join(f"{part}: {licence}" for part, licence in licences.items()) or None,
        extras={"licences": licences, "rome": dict(rig.properties)},
    )


def gltf_pictures(rig: RigArrays) -> dict[str, U8]:
    """Return the rig's textures (T, T, 3) u8 by role as glTF 2.0 wants them, the albedo first.

    Roughness lies in green and metalness, none, in blue (3.9.2); green of normals points up.
    """
    pictures = {"Albedo": rig.albedo}
    if rig.normal_map is not None:
        pictures["Normal"] = rig.normal_map
    if rig.roughness_map is not None:
        nothing = np.zeros_like(rig.roughness_map)
        pictures["Roughness"] = np.stack([nothing, rig.roughness_map, nothing], -1)
    return pictures


def _image(rig: RigArrays, role: str, pixels: U8, buffer: GltfBuffer) -> Image:
    view = buffer.add_bytes(jpeg_bytes(pixels))
    image = Image(name=f"{rig.name} {role}", bufferView=view, mimeType="image/jpeg")
    if role != "Albedo":
        image.extras = {"rome_estimate": True}
    return image


def _material(name: str, roughness: float, places: Mapping[str, int]) -> Material:
    """Return a material that uses the textures at their places; one number where none tells."""
    glossy, bent = places.get("Roughness"), places.get("Normal")
    return Material(
        name=name,
        pbrMetallicRoughness=PbrMetallicRoughness(
            baseColorTexture=TextureInfo(index=places["Albedo"]),
            metallicFactor=0.0,
            roughnessFactor=roughness if glossy is None else 1.0,
            metallicRoughnessTexture=None if glossy is None else TextureInfo(index=glossy),
        ),
        normalTexture=None if bent is None else NormalMaterialTexture(index=bent),
        alphaMode="OPAQUE",
        alphaCutoff=None,
    )


def _mesh(rig: RigArrays, surface: SeamMesh, buffer: GltfBuffer) -> Mesh:
    attributes = _attributes(rig, surface, buffer)
    targets = [
        {
            "POSITION": buffer.add_displacements(
                key.delta[surface.source].astype(np.float32), SMALLEST_DISPLACEMENT
            )
        }
        for key in rig.keys
    ]
    eyes = np.asarray(rig.eye_faces, bool)
    primitives = [
        Primitive(
            attributes=attributes,
            indices=buffer.add_indices(surface.faces[chosen].ravel()),
            material=slot,
            targets=targets,
        )
        for slot, chosen in enumerate((~eyes, eyes))
        if chosen.any()
    ]
    return Mesh(
        name=rig.name,
        primitives=primitives,
        weights=[key.value for key in rig.keys],
        extras={"targetNames": [key.name for key in rig.keys]},
    )


def _attributes(rig: RigArrays, surface: SeamMesh, buffer: GltfBuffer) -> Attributes:
    positions = (rig.vertices - origin_of(rig)).astype(np.float32)[surface.source]
    normals = shown_normals(rig).astype(np.float32)[surface.source]
    uvs = np.stack([surface.uvs[:, 0], 1.0 - surface.uvs[:, 1]], axis=1).astype(np.float32)
    attributes = Attributes(
        POSITION=buffer.add_attribute(positions, bounds=True),
        NORMAL=buffer.add_attribute(normals),
        TEXCOORD_0=buffer.add_attribute(uvs),
    )
    for number, (joints, weights) in enumerate(influences(rig.weights[surface.source])):
        setattr(attributes, f"JOINTS_{number}", buffer.add_attribute(joints))
        setattr(attributes, f"WEIGHTS_{number}", buffer.add_attribute(weights))
    return attributes


def influences(weights: F32) -> list[tuple[NDArray[np.uint8], F32]]:
    """Split weights (N, K) into sets of four: joints (N, 4) u8 and weights (N, 4) f32.

    The heaviest joints come first, so that programs that read one set only keep what matters;
    as many sets as the vertex with most joints needs. Rows sum to 1 over all sets.
    """
    joints = weights.shape[1]
    order = np.argsort(-weights, axis=1, kind="stable")
    heaviest = np.take_along_axis(weights, order, axis=1).astype(np.float64)
    heaviest /= heaviest.sum(axis=1, keepdims=True)
    used = int((heaviest > 0.0).sum(axis=1).max())
    padding = ((0, 0), (0, -joints % INFLUENCES))
    order = np.where(heaviest > 0.0, order, 0)
    order = np.pad(order, padding).astype(np.uint8)
    heaviest = np.pad(heaviest, padding).astype(np.float32)
    return [
        (
            np.ascontiguousarray(order[:, start : start + INFLUENCES]),
            np.ascontiguousarray(heaviest[:, start : start + INFLUENCES]),
        )
        for start in range(0, used, INFLUENCES)
    ]


def _joint_nodes(rig: RigArrays) -> list[Node]:
    """Return a node per joint, placed relative to its parent; node 0 is the mesh."""
    parents = np.asarray(rig.parents).tolist()
    joints = np.asarray(rig.joints, np.float64) - origin_of(rig)
    nodes = []
    for index, name in enumerate(rig.joint_names):
        parent = parents[index]
        place = joints[index] - (joints[parent] if parent >= 0 else 0.0)
        children = [child + 1 for child, above in enumerate(parents) if above == index]
        nodes.append(Node(name=name, translation=place.tolist(), children=children))
    return nodes


def _skin(rig: RigArrays, buffer: GltfBuffer) -> Skin:
    inverse = np.tile(np.eye(4, dtype=np.float32), (len(rig.joints), 1, 1))
    inverse[:, :3, 3] = -(rig.joints - origin_of(rig))
    return Skin(
        name=f"{rig.name} Rig",
        inverseBindMatrices=buffer.add_matrices(inverse),
        skeleton=1,
        joints=list(range(1, len(rig.joints) + 1)),
    )
