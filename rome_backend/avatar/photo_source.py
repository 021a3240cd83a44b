# SPDX-License-Identifier: Apache-2.0
"""What an avatar's source photo shows of its mesh: where vertices lie in it, and what hides them.

Does not know other views, textures or networks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from rome_backend.avatar.animate import avatar_vertices
from rome_backend.core.camera import project
from rome_backend.core.landmarks import landmark_points
from rome_backend.core.normals import vertex_normals
from rome_backend.core.pixels import px_to_ndc
from rome_backend.core.types import F32, F64, Avatar, HeadModel
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.shading import view_axes
from rome_backend.texture.registration import registration_warp

_SURE = (0.6, 0.95)  # of the matte: from nothing of the photo's own colour to all of it
_RIM = 0.008  # of the crop's side, at the photo's borders
_NOTHING = 1e3  # m: depth where the photo shows no mesh
_LOOSE_REGIONS = ("hair", "neck", "ears")


@dataclass(frozen=True)
class PhotoSource:
    """The photo of an avatar with the mesh that explains it, V vertices, C px.

    shift (V, 3) f64 m, head space: added to the posed mesh, brings it onto the photo's landmarks;
    px (V, 2) f64: where the shifted vertices lie in the photo; view (V, 3) f64 m: in its view
    space; facing (V,): cosine between normal and line of sight; loose (V,) in [0, 1]: hair, neck
    and ears, whose shape is known less well;
    rgb (C, C, 3) f32 0..255: the person's colours, continued past its edges; matte (C, C) f32;
    valid (C, C) f32: 1 inside the photo, 0 outside; nearest (C, C) f32 m: depth of the mesh;
    scale: px per m.
    """

    shift: F64
    px: F64
    view: F64
    facing: F64
    loose: F64
    rgb: F32
    matte: F32
    valid: F32
    nearest: F32
    scale: float


def photo_source(avatar: Avatar, head: HeadModel) -> PhotoSource:
    """Return what an avatar's source crop shows of its mesh.

    Raises FileInvalid (`topology_mismatch`) for another head model.
    """
    vertices = avatar_vertices(avatar, head, avatar.params)
    axes = view_axes(avatar.camera)
    view = vertices @ axes.T
    places = project(avatar.camera, vertices)[:, :2]
    warp = _registration(avatar, head, vertices)
    scale = px_per_metre(places, view)
    matte = avatar.source_matte.astype(np.float32) / np.float32(255)
    return PhotoSource(
        shift=(warp * [1, -1] / scale) @ axes[:2],
        px=places + warp,
        view=view,
        facing=(vertex_normals(vertices, head.faces) @ axes.T)[:, 2],
        loose=_loose(head),
        rgb=person_colours(avatar.source_crop.astype(np.float32), matte),
        matte=matte,
        valid=_valid(avatar),
        nearest=_nearest(head, places + warp, view[:, 2], len(matte)),
        scale=scale,
    )


def px_per_metre(px: F64, view: F64) -> float:
    """Return the scale of a picture at the head, from vertices' px (V, 2) and view space (V, 3)."""
    return float(np.linalg.norm(px.std(0)) / np.linalg.norm(view[:, :2].std(0)))


def _registration(avatar: Avatar, head: HeadModel, vertices: F64) -> F64:
    points = landmark_points(vertices, head.faces, head.landmarks)
    seen = np.asarray(avatar.source_landmarks, np.float64)[head.landmarks.indices, :2]
    return registration_warp(head, project(avatar.camera, points)[:, :2], seen)


def _loose(head: HeadModel) -> F64:
    nothing = np.zeros(len(head.template), bool)
    found = [head.regions.get(name, nothing) for name in _LOOSE_REGIONS]
    return np.logical_or.reduce(found).astype(np.float64)


def _valid(avatar: Avatar) -> F32:
    """Return where the crop lies inside the photo (C, C), falling to 0 over a rim, so that the
    mesh takes over softly; files that do not say how far the photo goes are all of it."""
    side = len(avatar.source_crop)
    left, top, right, bottom = avatar.provenance.get("shown", (0, 0, side, side))
    place = np.arange(side) + 0.5
    rim = _RIM * side
    across, down = (
        np.minimum(
            smooth_step(place - low, 0, rim) if low > 0 else 1.0,
            smooth_step(high - place, 0, rim) if high < side else 1.0,
        )
        for low, high in ((left, right), (top, bottom))
    )
    return np.asarray(
        np.broadcast_to(down, side)[:, None] * np.broadcast_to(across, side), np.float32
    )


def _nearest(head: HeadModel, px: F64, height: F64, side: int) -> F32:
    ndc = px_to_ndc(px, side, side) * [1, -1]
    screen = torch.as_tensor(np.c_[ndc, -height], dtype=torch.float32)[None]
    faces = torch.as_tensor(np.array(head.faces))
    depth = TorchRasterizer().rasterize(screen, faces, side, side).depth[0].numpy()
    return np.asarray(np.minimum(depth, _NOTHING), np.float32)


def person_colours(rgb: F32, matte: F32) -> F32:
    """Return colours (C, C, 3) of the person alone: where the matte (C, C) is unsure they go on
    as they are beside it, so that no background shows in soft edges."""
    sure = smooth_step(matte, *_SURE)[..., None]
    around = filled(rgb, sure[..., 0])
    return np.asarray(sure * rgb + (1 - sure) * around, np.float32)


def smooth_step(values: NDArray[np.floating], low: float, high: float) -> F32:
    """Return 0 up to low, 1 from high, smooth in between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def filled(values: F32, known: F32) -> F32:
    """Continue values (H, W, C) smoothly to where they are not known; known (H, W) in [0, 1].

    Push and pull over halved sizes (Gortler et al. 1996), so that every px takes the mean of what
    is known round it, the nearest the most. Where nothing at all is known it is 0.
    """
    height, width = known.shape
    found: F32
    side = 1 << int(max(height, width) - 1).bit_length()
    room = ((0, side - height), (0, side - width))
    total = np.pad(np.asarray(values * known[..., None], np.float32), (*room, (0, 0)))
    weight = np.pad(np.asarray(known, np.float32), room)
    levels = []
    while len(weight) > 1:
        levels.append((total, weight))
        total, weight = _quartered(total), _quartered(weight[..., None])[..., 0]
        most = np.maximum(weight, 1)
        total = np.asarray(total / most[..., None], np.float32)
        weight = np.asarray(weight / most, np.float32)
    found = np.asarray(total / np.maximum(weight, 1e-9)[..., None], np.float32)
    for total, weight in reversed(levels):
        size = (len(weight), len(weight))
        coarse = cv2.resize(found, size, interpolation=cv2.INTER_LINEAR).reshape(total.shape)
        found = np.asarray(total + (1 - weight[..., None]) * coarse, np.float32)
    return np.asarray(found[:height, :width], np.float32)


def _quartered(values: F32) -> F32:
    """Add up blocks of 2 x 2 px of (H, W, C)."""
    half = len(values) // 2
    return np.asarray(values.reshape(half, 2, half, 2, -1).sum((1, 3)), np.float32)
