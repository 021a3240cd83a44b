# SPDX-License-Identifier: Apache-2.0
"""What a neural texture looks like: its colours in the texture layout, and its channels.

Does not know files, Blender or where the networks come from.

The preview is our own: the head is drawn by the rendering network from several sides, and each
texel takes the colours of the views that see it, those from straight ahead most.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as functional

from rome_backend.assets.store import AssetStore
from rome_backend.avatar.animate import avatar_vertices
from rome_backend.avatar.feed_forward import FeedForward
from rome_backend.avatar.head_surface import HeadSurface, head_surface, uv_fragments
from rome_backend.avatar.installed_networks import rendering_networks
from rome_backend.avatar.render import camera_round
from rome_backend.core.errors import UsageError
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, U8, Avatar, Camera, HeadModel
from rome_backend.render.interpolate import interpolate_vertices
from rome_backend.render.rasterizer import TorchRasterizer, image_ndc

# Yaw and pitch in degrees: the sides, some from above, one from below.
VIEWS = ((0.0, 0.0), (45.0, 15.0), (90.0, 0.0), (135.0, 45.0), (180.0, 0.0), (225.0, 45.0),
         (270.0, 0.0), (315.0, 15.0), (0.0, -40.0))  # fmt: skip
PREVIEW_SIDE = 512  # px, of previews for textures of that size or more
VIEW_SIDE = 256  # px: what the network was trained at
_NEAR = 0.006  # m: a texel this far behind what a view shows is hidden
_SMALLEST = 1e-4


@torch.no_grad()
def neural_preview(
    system: FeedForward,
    avatar: Avatar,
    head: HeadModel,
    size: int,
    device: torch.device | str = "cpu",
) -> U8:
    """Return the rendering network's colours in the texture layout, (size, size, 3) u8 sRGB.

    What no view sees takes the colours round it. Raises UsageError (`no_neural_texture`).
    """
    if avatar.neural_texture is None:
        raise UsageError(
            "no_neural_texture", f"The avatar {avatar.name!r} has no neural texture.",
            "Create it with --networks official.",
        )  # fmt: skip
    vertices = avatar_vertices(avatar, head)
    surface = head_surface(head, np.ones(len(vertices), np.float32), device)
    texels = uv_fragments(surface, TorchRasterizer(), size)
    texture = torch.as_tensor(avatar.neural_texture, device=device)[None]
    points = _at_texels(vertices, surface, texels)
    normals = _at_texels(vertex_normals(vertices, head.faces), surface, texels)
    total = torch.zeros(4, size, size, device=device)
    for yaw, pitch in VIEWS:
        camera = camera_round(vertices, yaw, pitch, VIEW_SIDE)
        total += _seen(system, texture, vertices, camera, points, normals)
    total *= texels.covered()
    return _filled(total)


def preview_again(
    avatar: Avatar, head: HeadModel, size: int, store: AssetStore, device: torch.device
) -> Avatar:
    """Return the avatar with a new preview for a texture of a size, by its own networks.

    Raises AssetMissing (`networks_missing`) and what neural_preview does.
    """
    system = rendering_networks(avatar.weights_id, head, store, device)
    preview = neural_preview(system, avatar, head, min(size, PREVIEW_SIDE), device)
    return replace(avatar, neural_preview=preview)


def _at_texels(values: F64, surface: HeadSurface, texels: object) -> torch.Tensor:
    """Return a vertex attribute (V, 3) at every texel, (T, T, 3) f32."""
    attribute = torch.as_tensor(values, dtype=torch.float32, device=surface.faces.device)
    return interpolate_vertices(texels, surface.faces, attribute)[0]  # type: ignore[arg-type]


def _seen(
    system: FeedForward,
    texture: torch.Tensor,
    vertices: F64,
    camera: Camera,
    points: torch.Tensor,
    normals: torch.Tensor,
) -> torch.Tensor:
    """Return weighted colours and weights (4, T, T) that one view gives the texels."""
    places = image_ndc(torch.as_tensor(vertices), torch.as_tensor(camera.world_to_clip)).float()
    rendered = system.render(
        texture,
        torch.as_tensor(vertices, dtype=torch.float32, device=texture.device)[None],
        places[None].to(texture),
        camera.height,
        camera.width,
    )
    matrix = torch.as_tensor(camera.world_to_clip, dtype=torch.float32).to(texture)
    clip = points @ matrix[:3, :3].T + matrix[:3, 3]  # these cameras have no perspective
    grid = torch.stack([clip[..., 0], -clip[..., 1]], dim=-1)[None]
    shown = torch.cat([rendered.rgb, rendered.soft_mask], dim=1)
    found = functional.grid_sample(shown, grid, align_corners=False)[0]
    covered = rendered.fragments.covered()[:, None].float()
    depth = rendered.fragments.depth[:, None] * covered + 9 * (1 - covered)
    nearest = functional.grid_sample(depth, grid, mode="nearest", align_corners=False)[0, 0]
    back = -matrix[2, :3] / matrix[2, :3].norm()
    hidden = clip[..., 2] > nearest + _NEAR * matrix[2, :3].norm()
    outside = (grid[0].abs() > 1).any(-1)
    facing = (normals @ back).clamp(min=0) ** 2
    weight = facing * found[3] * ~(hidden | outside)
    return torch.cat([found[:3] * weight, weight[None]])


def _filled(total: torch.Tensor) -> U8:
    """Return weighted colours (4, T, T) as a picture; holes take coarser averages round them."""
    levels = [total[None]]
    while min(levels[-1].shape[2:]) >= 2:
        levels.append(functional.avg_pool2d(levels[-1], 2))
    colours = torch.full_like(levels[-1][:, :3], 0.5)
    for level in reversed(levels):
        colours = functional.interpolate(colours, size=level.shape[2:], mode="nearest")
        known = level[:, 3:] > _SMALLEST
        own = level[:, :3] / level[:, 3:].clamp(min=_SMALLEST)
        colours = torch.where(known, own, colours)
    picture = colours[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy()
    return (picture * 255 + 0.5).astype(np.uint8)


def false_colours(neural_texture: F32) -> U8:
    """Return the channels of a neural texture (C, T, T) as a picture (T, T, 3) u8.

    Red, green and blue are its three strongest principal components, each from its 1st to its
    99th percentile; their signs are such that most of each lies above the middle.
    """
    channels = neural_texture.reshape(len(neural_texture), -1).astype(np.float64)
    centred = channels - channels.mean(1, keepdims=True)
    _, directions = np.linalg.eigh(centred @ centred.T)
    parts = directions[:, ::-1][:, :3].T @ centred
    parts *= np.where(np.median(parts, axis=1) < 0, -1.0, 1.0)[:, None]
    low, high = np.percentile(parts, (1, 99), axis=1)[..., None]
    shown = np.clip((parts - low) / np.maximum(high - low, 1e-12), 0, 1)
    side = neural_texture.shape[1:]
    return (shown.reshape(-1, *side).transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8)
