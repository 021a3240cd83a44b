# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a new head stands: at the origin, or beside what stands there already.

Does not know the head's parts beyond its objects.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils import Euler, Vector
from numpy.typing import NDArray

from ..rig.build import BuiltHead

GAP = 0.1
# What is larger is a room or a backdrop, and a head may well stand inside it.
LARGEST = 2.2
SOLID = frozenset({"MESH", "CURVE", "SURFACE", "META", "FONT", "VOLUME"})
VIEW_ANGLES = (1.484, 0.0, 0.262)
VIEW_DISTANCES = 3.0
CLIP_START = 0.005


def place(built: BuiltHead, scene: bpy.types.Scene) -> float:
    """Move a new head along X until it stands free; return how far, in m.

    Its camera moves along. A head inside Blender's default cube would not be seen.
    """
    own = set(built.collection.objects)
    bpy.context.view_layer.update()
    low, high = _bounds(built.mesh)
    boxes = [_bounds(thing) for thing in scene.objects if thing not in own and _is_solid(thing)]
    others = [box for box in boxes if float((box[1] - box[0]).max()) <= LARGEST]
    moved = free_distance(low, high, others)
    if moved:
        for thing in (built.armature, built.camera):
            thing.location.x += moved
        bpy.context.view_layer.update()  # else who looks at the head looks at where it stood
    return moved


def free_distance(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    others: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> float:
    """Return how far (m) a box must move along +X to touch none of the other boxes."""
    moved = 0.0
    for other_low, other_high in sorted(others, key=lambda box: float(box[0][0])):
        shift = np.array([moved, 0.0, 0.0])
        if np.all(low + shift < other_high) and np.all(high + shift > other_low):
            moved = float(other_high[0] - low[0]) + GAP
    return moved


def _is_solid(thing: bpy.types.Object) -> bool:
    return thing.type in SOLID and not thing.hide_viewport


def _bounds(thing: bpy.types.Object) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    corners = np.array([thing.matrix_world @ Vector(corner) for corner in thing.bound_box])
    return corners.min(axis=0), corners.max(axis=0)


def look_at_head(space: bpy.types.SpaceView3D, mesh: bpy.types.Object) -> None:
    """Turn one viewport to the head, with its texture shown in Solid view."""
    low, high = _bounds(mesh)
    space.clip_start = min(space.clip_start, CLIP_START)
    space.shading.color_type = "TEXTURE"
    view = space.region_3d
    view.view_location = Vector((low + high) / 2.0)
    view.view_distance = VIEW_DISTANCES * float(np.linalg.norm(high - low)) / 2.0
    view.view_rotation = Euler(VIEW_ANGLES).to_quaternion()
    view.view_perspective = "PERSP"
