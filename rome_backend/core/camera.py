# SPDX-License-Identifier: Apache-2.0
"""Cameras: weak perspective, perspective and orbits all become one clip matrix.

Does not know pictures, rasterizers or Blender, and no torch.

View space: x right, y up, z towards the viewer, in metres. Clip space is OpenGL's: x right,
y up, z -1 near to +1 far after division by w.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

from . import pixels
from .types import F64, Camera, FaceFit


def _orthographic(
    scale: float, rotation: Any, origin: Any, width: int, height: int, depth: float, shift: float
) -> Camera:
    """Return the camera with view z + shift = +depth near and -depth far."""
    view = np.asarray(rotation, np.float64)
    clip = np.eye(4)
    clip[0, :3] = view[0] * (2 * scale / width)
    clip[1, :3] = view[1] * (2 * scale / height)
    clip[2, :3] = -view[2] / depth
    clip[:2, 3] = pixels.px_to_ndc(np.asarray(origin, np.float64), width, height)
    clip[2, 3] = -shift / depth
    return Camera(clip, width, height)


def weak_perspective(
    scale: float, rotation: Any, translation: Any, width: int, height: int, depth: float = 1.0
) -> Camera:
    """Return the camera x = scale (R p)_x + t_x, y = -scale (R p)_y + t_y in px.

    scale px/m; rotation (3, 3) head to view; translation (2,) px; points whose view z lies within
    +-depth m are inside the clip volume.
    """
    return _orthographic(scale, rotation, translation, width, height, depth, 0.0)


def perspective(
    focal: float,
    rotation: Any,
    translation: Any,
    width: int,
    height: int,
    centre: Any = None,
    near: float = 0.05,
    far: float = 20.0,
) -> Camera:
    """Return a pinhole camera at the view origin, looking along view -z.

    focal px; view = rotation (3, 3) p + translation (3,) m; centre (2,) px, the principal point,
    by default the middle of the picture; near, far m, clipping distances.
    """
    middle = np.array([width / 2, height / 2]) if centre is None else np.asarray(centre)
    to_view = np.eye(4)
    to_view[:3, :3], to_view[:3, 3] = rotation, translation
    clip = np.zeros((4, 4))
    clip[0, 0], clip[1, 1] = 2 * focal / width, 2 * focal / height
    clip[:2, 2] = -pixels.px_to_ndc(middle, width, height)
    clip[2, 2], clip[2, 3] = -(far + near) / (far - near), -2 * far * near / (far - near)
    clip[3, 2] = -1.0
    return Camera(clip @ to_view, width, height)


def orbit(
    target: Any,
    distance: float,
    yaw_deg: float,
    pitch_deg: float,
    height_m: float,
    width: int,
    height: int,
) -> Camera:
    """Return an orthographic camera on a sphere round a head, looking at ``target`` (3,) m.

    yaw 0 is the front of the face, positive yaw shows the subject's left side (as the opposite
    head yaw would); positive pitch looks from above. The picture is ``height_m`` m high; points
    nearer to the target than ``distance`` m are inside the clip volume.
    """
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    rotation = np.stack([right, np.cross(back, right), back])
    scale = height / height_m
    centre = rotation @ np.asarray(target, np.float64)
    origin = (width / 2 - scale * centre[0], height / 2 + scale * centre[1])
    return _orthographic(scale, rotation, origin, width, height, distance, -float(centre[2]))


def project(camera: Camera, points: Any) -> F64:
    """Return (..., 3) f64 of points (..., 3) m: px x, px y and ndc z (smaller is nearer).

    Points on or behind a pinhole's plane have no picture: their row is nan.
    """
    points = np.asarray(points, np.float64)
    clip = points @ camera.world_to_clip[:, :3].T + camera.world_to_clip[:, 3]
    w = np.where(clip[..., 3:] > 0, clip[..., 3:], np.nan)
    ndc = clip[..., :3] / w
    px = pixels.ndc_to_px(ndc, camera.width, camera.height)
    return np.concatenate([px, ndc[..., 2:]], -1)


def fit_camera(fit: FaceFit, width: int, height: int) -> Camera:
    """Return the camera of a fitted face, head space to its picture.

    A pinhole at ``fit.distance`` that looks straight at the head (what a photo shows off its
    middle differs by a turn of the head), or weak perspective at an infinite distance.
    """
    if math.isinf(fit.distance):
        return weak_perspective(fit.scale, fit.rotation, fit.translation, width, height)
    away = fit.distance
    shift = (0.0, 0.0, -away)
    return perspective(
        fit.scale * away, fit.rotation, shift, width, height, fit.translation, away / 4, away + 2
    )


def crop_camera(camera: Camera, affine: Any, width: int, height: int) -> Camera:
    """Return the camera of a picture cut out of ``camera``'s.

    affine (2, 3): px of the whole picture to px of the cut-out; width, height px of the cut-out.
    """
    to_crop = np.eye(3)
    to_crop[:2] = affine
    old = _ndc_to_px_matrix(camera.width, camera.height)
    new = _ndc_to_px_matrix(width, height)
    flat = np.linalg.inv(new) @ to_crop @ old
    clip = camera.world_to_clip.copy()
    clip[[0, 1, 3]] = flat @ camera.world_to_clip[[0, 1, 3]]
    return Camera(clip, width, height)


def _ndc_to_px_matrix(width: int, height: int) -> F64:
    """Return ``pixels.ndc_to_px`` as a matrix (3, 3) on (x, y, 1)."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    px = pixels.ndc_to_px(corners, width, height)
    matrix = np.eye(3)
    matrix[:2] = np.stack([px[1] - px[0], px[2] - px[0], px[0]], -1)
    return matrix


def project_weak_perspective(
    vertices: Any, cam: Any, rotation: Any = None, centre: Any = None, xp: ModuleType = np
) -> Any:
    """Return image coordinates (..., V, 3) of vertices (..., V, 3) as the released networks do.

    cam (..., 3): s, t_x, t_y; x = s (X + t_x), y = -s (Y + t_y), z = -s Z: x right, y down, z
    smaller is nearer, [-1, 1] over the picture. With ``rotation`` (..., 3, 3) the vertices are
    first turned about ``centre`` (..., 3), the root joint. Source: ROME's renderer, DECA's camera.
    """
    if rotation is not None:
        pivot = centre[..., None, :]
        vertices = (vertices - pivot) @ xp.swapaxes(rotation, -1, -2) + pivot
    scale, shift = cam[..., None, :1], cam[..., None, 1:]
    flat = scale * (vertices[..., :2] + shift)
    return xp.stack([flat[..., 0], -flat[..., 1], -scale[..., 0] * vertices[..., 2]], -1)
