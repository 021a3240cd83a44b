# SPDX-License-Identifier: GPL-3.0-or-later
"""The mesh of a head: surface, UVs, shape keys and vertex groups.

Does not know materials, bones or where the arrays came from.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from ..core_access import RigArrays, RigKey
from .names import BASIS, UV_MAP, region_group
from .space import directions_to_object, origin_of, to_object

SMALLEST_WEIGHT = 1e-6
KEYS_PER_STEP = 20


def mesh_steps(mesh: bpy.types.Object, rig: RigArrays) -> Iterator[None]:
    """Give a surface its shape keys and vertex groups, in steps of a few milliseconds."""
    basis = to_object(rig.vertices, origin_of(rig.properties))
    mesh.shape_key_add(name=BASIS, from_mix=False)
    for number, key in enumerate(rig.keys, 1):
        add_key(mesh, basis, key)
        if number % KEYS_PER_STEP == 0:
            yield
    for joint, name in enumerate(rig.joint_names):
        _add_joint_group(mesh, name, np.asarray(rig.weights[:, joint], dtype=np.float32))
        yield
    _add_region_groups(mesh, rig)
    yield


def build_surface(rig: RigArrays) -> bpy.types.Object:
    """Return a new object, not yet in a collection, with faces and UVs.

    Vertices keep the order of rig.vertices; material slot 0 is skin, slot 1 the eyes.
    """
    data = _surface(rig)
    _add_uvs(data, rig)
    return bpy.data.objects.new(rig.name, data)


def _surface(rig: RigArrays) -> bpy.types.Mesh:
    data = bpy.data.meshes.new(rig.name)
    points = to_object(rig.vertices, origin_of(rig.properties))
    count = len(rig.faces)
    data.vertices.add(len(points))
    data.vertices.foreach_set("co", points.astype(np.float32).ravel())
    data.loops.add(3 * count)
    data.loops.foreach_set("vertex_index", np.ascontiguousarray(rig.faces, dtype=np.int32).ravel())
    data.polygons.add(count)
    data.polygons.foreach_set("loop_start", np.arange(0, 3 * count, 3, dtype=np.int32))
    data.polygons.foreach_set("use_smooth", np.ones(count, dtype=bool))
    data.update(calc_edges=True)
    return data


def _add_uvs(data: bpy.types.Mesh, rig: RigArrays) -> None:
    layer = data.uv_layers.new(name=UV_MAP)
    corners = np.asarray(rig.uvs, dtype=np.float32)[np.asarray(rig.uv_faces).ravel()]
    layer.data.foreach_set("uv", corners.ravel())


def add_key(mesh: bpy.types.Object, basis: np.ndarray, key: RigKey) -> None:
    """Add one shape key to a mesh whose Basis is ``basis`` (V, 3) m in object space."""
    block = mesh.shape_key_add(name=key.name, from_mix=False)
    points = basis + directions_to_object(key.delta)
    block.data.foreach_set("co", points.astype(np.float32).ravel())
    block.slider_min = key.minimum
    block.slider_max = key.maximum
    # Blender 5 gives new keys the value 1, older ones 0.
    block.value = key.value


def _add_joint_group(mesh: bpy.types.Object, name: str, weights: np.ndarray) -> None:
    group = mesh.vertex_groups.new(name=name)
    for index in np.nonzero(weights > SMALLEST_WEIGHT)[0].tolist():
        group.add((index,), float(weights[index]), "REPLACE")


def _add_region_groups(mesh: bpy.types.Object, rig: RigArrays) -> None:
    for name, mask in rig.regions.items():
        group = mesh.vertex_groups.new(name=region_group(name))
        group.add(np.nonzero(mask)[0].tolist(), 1.0, "REPLACE")
