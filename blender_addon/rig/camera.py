# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera that sees the head exactly as the photo did, with the photo behind it.

Does not know how the camera was fitted. Weak perspective is an orthographic camera: the rows of
the clip matrix give its axes, its width and where its axis passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..core_access import Camera, RigArrays, RomeError
from .material import packed_image
from .names import camera_name, image_name
from .space import directions_to_object, origin_of, to_object

DISTANCE = 2.0
TOLERANCE = 1e-4


@dataclass(frozen=True)
class OrthographicView:
    """An orthographic camera in head space.

    axes (3, 3) f64: rows right, up and towards the viewer; location (3,) f64 m;
    width: what the picture's width shows, in m.
    """

    axes: NDArray[np.float64]
    location: NDArray[np.float64]
    width: float


def orthographic_view(camera: Camera, centre: NDArray[np.float64]) -> OrthographicView:
    """Take an orthographic clip matrix apart.

    centre (3,) m is the point of head space that the camera stands DISTANCE in front of.
    Raises RomeError 'camera_unsupported' for a perspective, skewed or mirrored matrix.
    """
    clip = np.asarray(camera.world_to_clip, dtype=np.float64)
    lengths = np.linalg.norm(clip[:2, :3], axis=1)
    if not np.allclose(clip[3], (0.0, 0.0, 0.0, 1.0), atol=TOLERANCE) or lengths.min() <= 0.0:
        raise _unsupported("is not orthographic")
    right, up = clip[:2, :3] / lengths[:, None]
    pixels = lengths * (camera.width, camera.height)
    if abs(right @ up) > TOLERANCE or abs(pixels[0] / pixels[1] - 1.0) > TOLERANCE:
        raise _unsupported("has skewed or oblong pixels")
    towards = np.cross(right, up)
    if towards @ clip[2, :3] >= 0.0:
        raise _unsupported("is mirrored")
    middle = -clip[:2, 3] / lengths
    location = middle[0] * right + middle[1] * up + (towards @ centre + DISTANCE) * towards
    return OrthographicView(np.stack([right, up, towards]), location, float(2.0 / lengths[0]))


def _unsupported(what: str) -> RomeError:
    return RomeError(
        "camera_unsupported",
        f"The photo's camera {what}.",
        "Create the avatar again from the photo.",
    )


def build_camera(rig: RigArrays) -> bpy.types.Object:
    """Return a new camera object, not yet in a collection, matched to rig.photo."""
    placement = photo_placement(rig)
    data = bpy.data.cameras.new(camera_name(rig.name))
    data.type = "ORTHO"
    data.sensor_fit = "HORIZONTAL"
    data.ortho_scale = placement.width
    camera = bpy.data.objects.new(camera_name(rig.name), data)
    camera.matrix_world = placement.matrix
    _add_background(data, packed_image(image_name(rig.name, "Photo"), rig.photo, "sRGB"))
    return camera


@dataclass(frozen=True)
class Placement:
    """Where the photo's camera stands beside a head at the origin, and its width in m."""

    matrix: Matrix
    width: float


def photo_placement(rig: RigArrays) -> Placement:
    """Return the placement of the rig's camera; RomeError 'camera_unsupported'."""
    centre = np.asarray(rig.vertices, dtype=np.float64).mean(axis=0)
    view = orthographic_view(rig.camera, centre)
    placed = np.eye(4)
    placed[:3, :3] = directions_to_object(view.axes).T
    placed[:3, 3] = to_object(view.location, origin_of(rig.properties))
    return Placement(Matrix(placed.tolist()), view.width)


def _add_background(data: bpy.types.Camera, photo: bpy.types.Image) -> None:
    background = data.background_images.new()
    background.image = photo
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"
    background.alpha = 1.0
    data.show_background_images = True
