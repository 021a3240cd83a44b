# SPDX-License-Identifier: Apache-2.0
"""Colour and confidence of every texel that a photo shows.

Does not know what happens to texels it does not show.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rome_backend.core.camera import project
from rome_backend.core.normals import vertex_normals
from rome_backend.core.pixels import px_to_ndc
from rome_backend.core.types import F32, F64, HeadModel
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.shading import view_axes
from rome_backend.texture.atlas import Atlas, sample_image
from rome_backend.texture.drawn_out import below, drawn_out
from rome_backend.texture.outline import person_matte
from rome_backend.texture.view import TextureView

_LEAST_FACING, _FULL_FACING = 0.22, 0.62  # cosine between the normal and the line of sight
_DEPTH_TOLERANCE = 8e-4  # m, for a surface seen head-on
_EDGE_DEPTH = 6e-3  # m: a surface this far behind a neighbouring one may carry its colour
_EDGE_WIDTH = 1.2e-3  # m round an occluding edge


@dataclass(frozen=True)
class SeenTexels:
    """What one photo says about the covered texels of an atlas.

    colour (P, 3) f32 sRGB 0..255, meaningful where weight > 0; weight (P,) f32 in [0, 1]: how
    well the photo shows the texel; normal (P, 3) f32: unit, view space (x right, y up, z to the
    viewer); below (P,) f32 in [0, 1]: how well the photo, drawn out downwards, would show
    it: clothes go on that way; the colour is theirs there.
    """

    colour: F32
    weight: F32
    normal: F32
    below: F32


def unproject(head: HeadModel, atlas: Atlas, view: TextureView) -> SeenTexels:
    """Look every texel up in a photo.

    The weight is 1 where the photo shows the texel's surface frontally and falls to 0 where the
    surface turns away (cosine 0.22), is hidden by another part of the mesh, lies on the outline
    of the person matte, outside the matte or outside the photo.
    """
    px = project(view.camera, view.vertices)[:, :2] + view.landmark_shift
    axes = view_axes(view.camera)
    height = view.vertices @ axes[2]
    normals = vertex_normals(view.vertices, head.faces) @ axes.T
    texels = atlas.spread(np.c_[px, height, normals])
    texels[~np.isfinite(texels[:, :2]).all(1), :2] = -1e4  # behind the camera, so outside the photo
    x, y, normal = texels[:, 0], texels[:, 1], texels[:, 3:]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    metres = _metres_per_px(view, px)
    facing = np.clip((normal[:, 2] - _LEAST_FACING) / (_FULL_FACING - _LEAST_FACING), 0, 1)
    matte = sample_image(person_matte(view, metres)[..., None], x - 0.5, y - 0.5)[:, 0]
    visible = _visible(head, view, np.c_[px, height], texels[:, :3], normal, metres)
    turned = facing**1.2 * visible
    rgb, last = drawn_out(view, metres)
    beneath = below(view, x, y, last, metres)
    y = np.where(x > -1e3, np.minimum(y, len(rgb) - 0.5), y)
    colour = sample_image(rgb, x - 0.5, y - 0.5, cv2.INTER_CUBIC)
    weight = turned * np.clip(4 * matte - 2, 0, 1)
    return SeenTexels(
        np.clip(colour, 0, 255), _shrink(atlas, weight), normal, _shrink(atlas, turned * beneath)
    )


def _metres_per_px(view: TextureView, px: F64) -> float:
    """The scale of the picture at the head, from the spread of its vertices."""
    across = view.vertices @ view_axes(view.camera)[:2].T
    return float(np.linalg.norm(across.std(0)) / np.linalg.norm(np.nanstd(px, axis=0)))


def _visible(
    head: HeadModel, view: TextureView, mesh: F64, texels: F32, normal: F32, metres: float
) -> F32:
    """Which texels (P, 3: px x, px y, m towards the viewer) no other surface hides, 0 or 1 (P,).

    Each is compared with the nearest surface drawn at its pixel; steep ones get leeway. Texels
    beside the edge of a surface well in front count as hidden: its colour may spill over.
    """
    px, height = mesh[:, :2], mesh[:, 2]
    x, y, height_at = texels.T
    rows, columns = view.rgb.shape[:2]
    ndc = px_to_ndc(px, columns, rows) * [1, -1]
    screen = torch.as_tensor(np.c_[ndc, -height], dtype=torch.float32)[None]
    faces = torch.as_tensor(head.faces)
    nearest = TorchRasterizer().rasterize(screen, faces, rows, columns).depth[0].numpy()
    nearest = np.minimum(nearest, 1e3)
    radius = max(1, round(_EDGE_WIDTH / metres))
    edge = cv2.erode(nearest, np.ones((2 * radius + 1, 2 * radius + 1)))
    i = np.clip(y.astype(np.int32), 0, rows - 1)
    j = np.clip(x.astype(np.int32), 0, columns - 1)
    facing = np.clip(normal[:, 2], 0.15, 1)
    slope = np.sqrt(1 - facing**2) / facing * metres
    behind = -height_at - nearest[i, j]
    spill = -height_at - edge[i, j] > _EDGE_DEPTH + 1.5 * (radius + 1) * slope
    return ((behind < _DEPTH_TOLERANCE + slope) & ~spill).astype(np.float32)


def _shrink(atlas: Atlas, weight: F32) -> F32:
    """Take one texel off the rim of what was seen."""
    image = atlas.image(weight)
    unknown = ~atlas.covered
    image[unknown] = 1
    return cv2.erode(image, np.ones((3, 3))).reshape(-1)[atlas.texel]
