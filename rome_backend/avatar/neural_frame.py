# SPDX-License-Identifier: Apache-2.0
"""Placed heads in a frame, drawn by the rendering network in the frame's own camera.

Does not know files, messages or where the networks come from.

The network was trained on square pictures that a head fills. So each head is drawn by itself in
the square of the frame that it fills, as large as the network draws, and put into the frame at
its place and size, the farthest first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.avatar.head_renderer import HeadRenderer
from rome_backend.avatar.head_surface import HeadSurface
from rome_backend.avatar.render import MARGIN
from rome_backend.core.camera import crop_camera
from rome_backend.core.types import F32, F64, Camera
from rome_backend.render.composite import MASK_THRESHOLD, opened_mask
from rome_backend.render.frame import SAMPLES, render_frame
from rome_backend.render.rasterizer import image_ndc
from rome_backend.render.scene import PlacedHead


@dataclass(frozen=True)
class NeuralLook:
    """What draws a head: the rendering network, and its neural texture (1, 8, T, T), on one
    device."""

    network: nn.Module
    texture: torch.Tensor


@dataclass(frozen=True)
class NeuralHead:
    """A head where it stands; head_to_world (4, 4): the networks want normals of its own frame.

    look: None for a head that is drawn as the textured mesh.
    """

    placed: PlacedHead
    head_to_world: F64
    look: NeuralLook | None


@dataclass(frozen=True)
class _Box:
    """The part of a frame that a head's picture covers, px; it may reach beyond the frame."""

    left: int
    top: int
    width: int
    height: int


@torch.inference_mode()
def neural_combined(
    heads: Sequence[NeuralHead],
    camera: Camera,
    world_to_view: F64,
    side: int,
    samples: int = SAMPLES,
    check: Callable[[], None] = lambda: None,
) -> F32:
    """Return the heads in a frame (H, W, 4) f32: sRGB in [0, 1], straight alpha, top row first.

    Args:
        camera: world to the frame, perspective or orthographic.
        world_to_view: (4, 4), for which head is nearer.
        side: px of the square that the networks draw of a head; a multiple of 8.
        samples: per pixel edge of heads that are drawn as textured meshes.
        check: called before every head; what it raises ends the work.

    Raises ValueError for faces that name a vertex there is not.
    """
    total = np.zeros((camera.height, camera.width, 4), np.float32)
    for head in sorted(heads, key=lambda head: _depth(head, world_to_view)):
        check()
        if head.look is None:
            layer = _textured(head, camera, world_to_view, samples, check)
        else:
            layer = _by_networks(head, head.look, camera, world_to_view, side)
        total = layer + total * (1 - layer[..., 3:])
    total[..., :3] /= np.maximum(total[..., 3:], 1e-6)
    return np.clip(total, 0, 1)


def _depth(head: NeuralHead, world_to_view: F64) -> float:
    """Return the view space z of the middle of a head: the nearer, the larger."""
    middle = head.placed.vertices.mean(0, dtype=np.float64)
    return float(world_to_view[2, :3] @ middle + world_to_view[2, 3])


def _textured(
    head: NeuralHead, camera: Camera, to_view: F64, samples: int, check: Callable[[], None]
) -> F32:
    """Return the premultiplied picture of a textured mesh."""
    size = camera.width, camera.height
    frame = render_frame(
        [head.placed], camera.world_to_clip, to_view, *size, ("combined",), samples, check
    )
    assert frame.combined is not None
    frame.combined[..., :3] *= frame.combined[..., 3:]
    return frame.combined


def _by_networks(
    head: NeuralHead, look: NeuralLook, camera: Camera, world_to_view: F64, side: int
) -> F32:
    """Return the premultiplied picture (H, W, 4) of a head by the networks."""
    layer = np.zeros((camera.height, camera.width, 4), np.float32)
    box = _box(head.placed.vertices, camera, world_to_view)
    if box is None:
        return layer
    picture = _picture(head, look, _camera_of(box, camera, side))
    left, right = max(box.left, 0), min(box.left + box.width, camera.width)
    top, bottom = max(box.top, 0), min(box.top + box.height, camera.height)
    if left < right and top < bottom:
        part = _resized(picture, box, (left, top, right, bottom))
        layer[top:bottom, left:right] = part.permute(1, 2, 0).cpu().numpy()
    return layer


def _box(vertices: F32, camera: Camera, world_to_view: F64) -> _Box | None:
    """Return where a head goes: the square round what the camera sees of it, None for nothing.

    It is a square of the scene: with oblong pixels it has other numbers of columns and rows.
    """
    ndc = _image_ndc(vertices, camera)
    seen = ndc[np.isfinite(ndc).all(1), :2]
    if not len(seen):
        return None
    px = (seen + 1) / 2 * [camera.width, camera.height]
    projection = camera.world_to_clip @ np.linalg.inv(world_to_view)
    per_unit = np.linalg.norm(projection[:2, :2], axis=1) * [camera.width, camera.height]
    oblong = float(per_unit[0] / per_unit[1])
    extent = np.ptp(px, axis=0) * [1 / oblong, 1]
    height = max(ceil(extent.max() * MARGIN), 1)
    width = max(round(height * oblong), 1)
    middle = (px.min(0) + px.max(0)) / 2
    return _Box(round(middle[0] - width / 2), round(middle[1] - height / 2), width, height)


def _image_ndc(vertices: F32, camera: Camera) -> F64:
    """Return vertices (V, 3) in image NDC, NaN outside the depth range, as textured frames do."""
    points = torch.as_tensor(np.asarray(vertices, np.float64))
    ndc = image_ndc(points, torch.as_tensor(camera.world_to_clip)).numpy()
    ndc[~(np.abs(ndc[:, 2]) <= 1)] = np.nan
    return ndc


def _camera_of(box: _Box, camera: Camera, side: int) -> Camera:
    across, down = side / box.width, side / box.height
    affine = np.array([[across, 0, -box.left * across], [0, down, -box.top * down]])
    return crop_camera(camera, affine, side, side)


def _picture(head: NeuralHead, look: NeuralLook, camera: Camera) -> torch.Tensor:
    """Return what the networks draw of a head (4, side, side), premultiplied."""
    device = look.texture.device
    places = _image_ndc(head.placed.vertices, camera)
    # Only the order of depths counts: near the camera's clip end they are too alike for f32.
    places[:, 2] -= np.nanmin(places[:, 2])
    places[:, 2] /= max(float(np.nanmax(places[:, 2])), 1e-30)
    to_head = np.linalg.inv(head.head_to_world)
    own = head.placed.vertices @ to_head[:3, :3].T + to_head[:3, 3]
    renderer = HeadRenderer(_surface(head.placed, device), look.network)
    features = renderer.features(
        renderer.levels(look.texture),
        torch.as_tensor(own, dtype=torch.float32, device=device)[None],
        torch.as_tensor(places, dtype=torch.float32, device=device)[None],
        camera.height,
        camera.width,
    )
    rendered = renderer.draw(features)
    kept = opened_mask((rendered.soft_mask > MASK_THRESHOLD).float())[0]
    return torch.cat([rendered.rgb[0] * kept, kept])


def _surface(head: PlacedHead, device: torch.device) -> HeadSurface:
    """Return a Blender mesh as the networks' surface: drawing needs faces and UVs only."""
    faces, uvs = head.surface.faces.to(device), head.surface.uvs.to(device)
    if len(faces) and int(faces.max()) >= len(head.vertices):
        raise ValueError("a face names a vertex that the head does not have")
    corners = torch.arange(3 * len(faces), device=device).view(-1, 3)
    nothing = uvs.new_zeros(0)
    return HeadSurface(faces, uvs.reshape(-1, 2), corners, nothing, nothing)


def _resized(picture: torch.Tensor, box: _Box, area: tuple[int, int, int, int]) -> torch.Tensor:
    """Return the part (4, h, w) of a picture in a frame's px: left, top, right, bottom.

    Smaller ones are averages; of larger ones only the part is ever computed.
    """
    left, top, right, bottom = area
    side = picture.shape[-1]
    if max(box.width, box.height) <= side:
        small = functional.interpolate(
            picture[None], (box.height, box.width), mode="bilinear", antialias=True
        )[0]
        return small[:, top - box.top : bottom - box.top, left - box.left : right - box.left]
    x = (torch.arange(left, right, device=picture.device) + 0.5 - box.left) / box.width * 2 - 1
    y = (torch.arange(top, bottom, device=picture.device) + 0.5 - box.top) / box.height * 2 - 1
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    grid = torch.stack([columns, rows], dim=-1)[None]
    return functional.grid_sample(picture[None], grid, align_corners=False)[0]
