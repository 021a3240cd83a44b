# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scene's camera sees: picture size, border and the two matrices of a frame.

Does not know heads or the backend.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core_access import Camera, RomeError, crop_camera

SUPPORTED = ("PERSP", "ORTHO")


@dataclass(frozen=True)
class FrameView:
    """A frame's camera: clip matrix with the size in px of the picture or its border, and the
    view matrix (4, 4) f64 (x right, y up, z towards the viewer, m)."""

    camera: Camera
    world_to_view: NDArray[np.float64]


def scene_camera(engine: bpy.types.RenderEngine, scene: bpy.types.Scene) -> bpy.types.Object:
    """Return the object that the frame is seen from.

    Raises RomeError `camera_missing`, or `camera_unsupported` for panoramas and stereo.
    """
    found = getattr(engine, "camera_override", None) or scene.camera
    if found is None or found.type != "CAMERA":
        raise RomeError(
            "camera_missing", "The scene has no camera.", "Add one, or press Ctrl 0 on yours."
        )
    if found.data.type not in SUPPORTED:
        raise RomeError(
            "camera_unsupported",
            "ROME draws perspective and orthographic cameras only.",
            "Change the type of the camera's lens.",
        )
    if scene.render.use_multiview:
        raise RomeError(
            "camera_unsupported", "ROME does not draw stereo pairs.", "Turn off Stereoscopy."
        )
    return found


def frame_view(
    camera: bpy.types.Object, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> FrameView:
    """Return what the camera sees of the frame, or of its border where there is one."""
    render = scene.render
    width, height = _full_size(render)
    placed = camera.evaluated_get(depsgraph)
    projection = placed.calc_matrix_camera(
        depsgraph, x=width, y=height, scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
    )
    world_to_view = _view_matrix(np.array(placed.matrix_world, dtype=np.float64))
    whole = Camera(np.array(projection, dtype=np.float64) @ world_to_view, width, height)
    if not render.use_border:
        return FrameView(whole, world_to_view)
    left, right, bottom, top = _border(render, width, height)
    shift = np.array([[1.0, 0.0, -left], [0.0, 1.0, top - height]])
    return FrameView(crop_camera(whole, shift, right - left, top - bottom), world_to_view)


def _full_size(render: bpy.types.RenderSettings) -> tuple[int, int]:
    """Return width and height, px, as Blender rounds them."""
    percentage = render.resolution_percentage
    sides = (render.resolution_x, render.resolution_y)
    width, height = (max(side * percentage // 100, 1) for side in sides)
    return width, height


def _border(render: bpy.types.RenderSettings, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the border's left, right, bottom and top in px from the bottom left corner."""
    shares = np.float32(
        [render.border_min_x, render.border_max_x, render.border_min_y, render.border_max_y]
    )
    left, right, bottom, top = (int(x) for x in shares * np.float32([width, width, height, height]))
    if right <= left or top <= bottom:
        raise RomeError(
            "border_empty", "The render region is empty.", "Make it larger or turn it off."
        )
    return left, right, bottom, top


def _view_matrix(camera_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return world to view; the camera object's scale does not count, as in Blender."""
    placed = camera_to_world.copy()
    placed[:3, :3] /= np.linalg.norm(placed[:3, :3], axis=0)
    return np.linalg.inv(placed)
