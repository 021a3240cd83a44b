# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera that sees the head exactly as the photo did, with the photo behind it.

Does not know how the camera was fitted. The rows of the clip matrix give its axes, where it
stands and what it shows: orthographic where their last one is constant, else a pinhole.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..core_access import Camera, RigArrays, RomeError
from .material import packed_image_steps
from .names import camera_name, image_name
from .space import directions_to_object, origin_of, to_object

DISTANCE = 2.0
TOLERANCE = 1e-4
NEAREST_M = 0.01


@dataclass(frozen=True)
class PhotoView:
    """A camera in head space.

    axes (3, 3) f64: rows right, up and towards the viewer; location (3,) f64 m;
    width: what the width of the picture shows in m, of a pinhole one metre away; shift (2,): of the
    lens in picture widths, right and up; pinhole: False for an orthographic camera.
    """

    axes: NDArray[np.float64]
    location: NDArray[np.float64]
    width: float
    shift: tuple[float, float]
    pinhole: bool


def photo_view(camera: Camera, centre: NDArray[np.float64]) -> PhotoView:
    """Take a clip matrix apart.

    centre (3,) m is the point of head space that an orthographic camera stands DISTANCE in
    front of. Raises RomeError 'camera_unsupported' for a skewed or mirrored matrix.
    """
    clip = np.asarray(camera.world_to_clip, dtype=np.float64)
    size = float(np.linalg.norm(clip[3, :3]))
    if size > TOLERANCE:
        return _pinhole(camera, clip / size)
    if not np.allclose(clip[3], (0.0, 0.0, 0.0, 1.0), atol=TOLERANCE):
        raise _unsupported("sees nothing")
    axes, lengths = _axes(camera, clip[:2, :3])
    if axes[2] @ clip[2, :3] >= 0.0:
        raise _unsupported("is mirrored")
    middle = -clip[:2, 3] / lengths
    location = middle @ axes[:2] + (axes[2] @ centre + DISTANCE) * axes[2]
    return PhotoView(axes, location, float(2.0 / lengths[0]), (0.0, 0.0), False)


def _pinhole(camera: Camera, clip: NDArray[np.float64]) -> PhotoView:
    """Take a pinhole's clip matrix apart; its last row is a unit vector, then the depth."""
    away = clip[3, :3]
    offset = clip[:2, :3] @ away
    axes, lengths = _axes(camera, clip[:2, :3] - offset[:, None] * away)
    if axes[2] @ away >= 0.0:
        raise _unsupported("is mirrored")
    rows = clip[[0, 1, 3]]
    location = np.linalg.solve(rows[:, :3], -rows[:, 3])
    shift = (-offset[0] / 2.0, -offset[1] / 2.0 * camera.height / camera.width)
    return PhotoView(axes, location, float(2.0 / lengths[0]), shift, True)


def _axes(
    camera: Camera, flat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right, up and towards (3, 3) of the picture's rows (2, 3), and their lengths (2,)."""
    lengths = np.linalg.norm(flat, axis=1)
    if lengths.min() <= 0.0:
        raise _unsupported("sees nothing")
    right, up = flat / lengths[:, None]
    pixels = lengths * (camera.width, camera.height)
    if abs(right @ up) > TOLERANCE or abs(pixels[0] / pixels[1] - 1.0) > TOLERANCE:
        raise _unsupported("has skewed or oblong pixels")
    return np.stack([right, up, np.cross(right, up)]), lengths


def _unsupported(what: str) -> RomeError:
    return RomeError(
        "camera_unsupported",
        f"The photo's camera {what}.",
        "Create the avatar again from the photo.",
    )


def camera_steps(rig: RigArrays) -> Generator[None, None, bpy.types.Object]:
    """Return a new camera object, not yet in a collection, matched to rig.photo, in short steps."""
    placement = photo_placement(rig)
    photo = yield from packed_image_steps(image_name(rig.name, "Photo"), rig.photo, "sRGB")
    data = bpy.data.cameras.new(camera_name(rig.name))
    set_lens(data, placement.view)
    camera = bpy.data.objects.new(camera_name(rig.name), data)
    camera.matrix_world = placement.matrix
    _add_background(data, photo)
    return camera


def set_lens(data: bpy.types.Camera, view: PhotoView) -> None:
    """Give a Blender camera the lens of a view."""
    data.sensor_fit = "HORIZONTAL"
    data.type = "PERSP" if view.pinhole else "ORTHO"
    data.shift_x, data.shift_y = view.shift
    if view.pinhole:
        data.lens_unit = "MILLIMETERS"
        data.lens = data.sensor_width / view.width
        data.clip_start = NEAREST_M
    else:
        data.ortho_scale = view.width


@dataclass(frozen=True)
class Placement:
    """Where the photo's camera stands beside a head at the origin, and what it shows."""

    matrix: Matrix
    view: PhotoView


def photo_placement(rig: RigArrays) -> Placement:
    """Return the placement of the rig's camera; RomeError 'camera_unsupported'."""
    centre = np.asarray(rig.vertices, dtype=np.float64).mean(axis=0)
    view = photo_view(rig.camera, centre)
    placed = np.eye(4)
    placed[:3, :3] = directions_to_object(view.axes).T
    placed[:3, 3] = to_object(view.location, origin_of(rig.properties))
    return Placement(Matrix(placed.tolist()), view)


def _add_background(data: bpy.types.Camera, photo: bpy.types.Image) -> None:
    background = data.background_images.new()
    background.image = photo
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"
    background.alpha = 1.0
    data.show_background_images = True
