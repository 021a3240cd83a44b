# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads every head of a frame as Blender evaluated it: vertices, faces, UVs and texture.

Does not know cameras or the backend.

Everything comes from Blender and nothing from the avatar: modifiers, sculpting, edited UVs and a
painted texture are drawn as they stand in the viewport, and a head is drawn in a file whose
avatar is lost. Only networks need more than what Blender shows, and name the avatar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import KeepAvatar, RomeError, SetSurface
from ..head.stored_avatar import avatar_id, neural_weights, text_of
from ..rig.links import is_head, linked_part
from ..rig.names import ORIGIN, UV_MAP
from ..rig.properties import read_property
from ..rig.space import head_to_object
from .textures import Texture, texture_of, texture_soon


@dataclass(frozen=True)
class FrameHead:
    """One head, or one instance of it, in one frame.

    surface_id: names the content of faces (F, 3) i32, uvs (F, 3, 2) f32 and texture;
    vertices (V, 3) f32 m in world space; head_to_world (4, 4) f64; avatar_id: of the avatar that
    the head carries if networks can draw it, else "".
    """

    surface_id: str
    vertices: NDArray[np.float32]
    head_to_world: NDArray[np.float64]
    faces: NDArray[np.int32]
    uvs: NDArray[np.float32]
    texture: Texture
    avatar_id: str = ""

    def surface(self) -> SetSurface:
        """Return the message that makes the surface known."""
        texture = self.texture
        return SetSurface(
            0, self.surface_id, self.faces, self.uvs, texture.pixels, _as_array(texture.png)
        )

    def has_better(self) -> bool:
        """Return whether a better texture has come."""
        return self.texture.better is not None and self.texture.better.done()

    def with_texture(self, texture: Texture) -> FrameHead:
        """Return the head with another texture."""
        surface_id = _content_id(self.faces, self.uvs, texture)
        return replace(self, surface_id=surface_id, texture=texture)

    def avatar(self) -> KeepAvatar | None:
        """Return the message that makes the avatar known; None where nobody carries it any more."""
        text = text_of(self.avatar_id)
        if text is None:
            return None
        return KeepAvatar(0, self.avatar_id, np.frombuffer(text.encode("utf-8"), np.uint8))


def heads_in(depsgraph: bpy.types.Depsgraph) -> list[FrameHead]:
    """Return the heads that are visible to the depsgraph, instances included.

    Raises RomeError `uv_missing` or `albedo_missing` for a head that has lost them.
    """
    return read_heads(depsgraph, lambda instance: True, texture_of)


def read_heads(
    depsgraph: bpy.types.Depsgraph,
    is_shown: Callable[[bpy.types.DepsgraphObjectInstance], bool],
    texture: Callable[[bpy.types.Image | None, str], Texture] = texture_soon,
) -> list[FrameHead]:
    """Return those heads of heads_in that are shown; RomeError as there.

    texture: reads an image; unless told otherwise, for a viewport that cannot wait.
    """
    return [
        read_head(instance, texture)
        for instance in depsgraph.object_instances
        if instance.show_self and is_head(instance.object.original) and is_shown(instance)
    ]


def read_head(
    instance: bpy.types.DepsgraphObjectInstance,
    texture: Callable[[bpy.types.Image | None, str], Texture] = texture_of,
) -> FrameHead:
    """Return one head; RomeError as heads_in.

    texture: reads an image; unless told otherwise, all of it.
    """
    evaluated = instance.object
    original = evaluated.original
    mesh = evaluated.data
    to_world = np.array(instance.matrix_world, dtype=np.float64)
    points = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", points)
    placed = points.reshape(-1, 3) @ to_world[:3, :3].T + to_world[:3, 3]
    faces, uvs = _faces(mesh, original.name)
    shown = texture(linked_part(original, "albedo"), original.name)
    origin = read_property(original, ORIGIN, (0.0, 0.0, 0.0))
    return FrameHead(
        _content_id(faces, uvs, shown),
        placed.astype(np.float32),
        to_world @ head_to_object(origin),
        faces,
        uvs,
        shown,
        avatar_id(original) if neural_weights(original) else "",
    )


def _as_array(data: bytes | None) -> NDArray[np.uint8] | None:
    return None if data is None else np.frombuffer(data, np.uint8)


def _faces(mesh: bpy.types.Mesh, name: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the mesh's triangles (F, 3) and the UVs (F, 3, 2) of their corners."""
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    faces, corners = np.empty((2, 3 * count), dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", faces)
    mesh.loop_triangles.foreach_get("loops", corners)
    layer = mesh.uv_layers.get(UV_MAP) or mesh.uv_layers.active
    if layer is None:
        raise RomeError(
            "uv_missing", f"{name} has no UV map.", f"Add one called {UV_MAP} or undo its removal."
        )
    uvs = np.empty(2 * len(mesh.loops), dtype=np.float32)
    layer.uv.foreach_get("vector", uvs)
    return faces.reshape(-1, 3), uvs.reshape(-1, 2)[corners].reshape(-1, 3, 2)


def _content_id(faces: NDArray[np.int32], uvs: NDArray[np.float32], texture: Texture) -> str:
    content = hashlib.blake2b(faces.tobytes(), digest_size=16)
    content.update(uvs.tobytes())
    content.update(texture.digest)
    return content.hexdigest()
