# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a built head back out of Blender as arrays in head space.

Does not know how the head was built or who asks.
"""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray

from .names import ORIGIN
from .properties import read_property
from .space import head_to_object, to_head


def armature_of(mesh: bpy.types.Object) -> bpy.types.Object:
    """Return the armature that deforms the mesh; ValueError where there is none."""
    for modifier in mesh.modifiers:
        if modifier.type == "ARMATURE" and modifier.object is not None:
            return modifier.object
    raise ValueError(f"{mesh.name} has no armature")


def _origin(mesh: bpy.types.Object) -> NDArray[np.float64]:
    return np.asarray(read_property(mesh, ORIGIN, (0.0, 0.0, 0.0)), dtype=np.float64)


def evaluated_vertices(
    mesh: bpy.types.Object, depsgraph: bpy.types.Depsgraph | None = None
) -> NDArray[np.float64]:
    """Return the mesh as Blender shows it, (V, 3) f64 m in head space.

    Shape keys, bones, drivers and every other modifier are applied; where the armature object
    stands in the world is taken out (head_to_world says it).
    """
    graph = depsgraph or bpy.context.evaluated_depsgraph_get()
    evaluated = mesh.evaluated_get(graph)
    points = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", points)
    rig = armature_of(mesh).evaluated_get(graph)
    local = np.array(rig.matrix_world.inverted() @ evaluated.matrix_world, dtype=np.float64)
    placed = points.reshape(-1, 3).astype(np.float64) @ local[:3, :3].T + local[:3, 3]
    return to_head(placed, _origin(mesh))


def head_to_world(mesh: bpy.types.Object) -> NDArray[np.float64]:
    """Return (4, 4) f64: head space to Blender's world, by the armature object's transform."""
    placed = np.array(armature_of(mesh).matrix_world, dtype=np.float64)
    return placed @ head_to_object(_origin(mesh))
