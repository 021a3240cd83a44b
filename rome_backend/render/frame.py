# SPDX-License-Identifier: Apache-2.0
"""Frames of textured meshes with their passes, as a compositor needs them.

Does not know avatars, networks, files or Blender.

Combined and mask are averages over the samples of a pixel; depth, UV and normal are never
averaged: they are those of the pixel's centre, or of its nearest sample where the centre is
empty, so that every pixel with some coverage has them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional

from rome_backend.core.types import F32, F64
from rome_backend.render.fragments import Fragments
from rome_backend.render.interpolate import covered_pixels
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer
from rome_backend.render.scene import PlacedHead, Scene, joined, signed_areas
from rome_backend.render.shading import INSIDE
from rome_backend.render.surface import Surface, sample_surface

SAMPLES = 3
_TILE_SAMPLES = 1 << 21
_CHANNELS: dict[str, tuple[int, ...]] = {
    "combined": (4,), "mask": (), "depth": (), "uv": (2,), "normal": (3,),
}  # fmt: skip
_DATA = ("depth", "uv", "normal")
_NOTHING = {"depth": np.inf}


@dataclass(frozen=True)
class FramePasses:
    """A frame, top row first; f32; passes that were not asked for are None.

    combined (H, W, 4): sRGB-encoded in [0, 1], straight alpha; mask (H, W): coverage in [0, 1];
    depth (H, W): m along the view axis, inf where nothing is; uv (H, W, 2), v up;
    normal (H, W, 3): unit, world space, towards the camera's side of the surface.
    """

    combined: F32 | None = None
    mask: F32 | None = None
    depth: F32 | None = None
    uv: F32 | None = None
    normal: F32 | None = None


class _Look(NamedTuple):
    """A head's surface, its range of faces in the scene, and texels per sample."""

    surface: Surface
    first: int
    end: int
    shrink: float


class _Tile(NamedTuple):
    """A part of the picture, px."""

    left: int
    top: int
    width: int
    height: int


def render_frame(
    heads: Sequence[PlacedHead],
    world_to_clip: F64,
    world_to_view: F64,
    width: int,
    height: int,
    passes: Collection[str] = ("combined",),
    samples: int = SAMPLES,
    check: Callable[[], None] = lambda: None,
    rasterizer: Rasterizer | None = None,
) -> FramePasses:
    """Draw heads together; the nearest surface wins. The inner side of a mesh is dark.

    Args:
        heads: any number of them; none gives an empty frame.
        world_to_clip: (4, 4) to OpenGL clip space, perspective or orthographic. A face that
            reaches out of the depth range, or to the camera's plane, is left out whole.
        world_to_view: (4, 4), x right, y up, z towards the viewer.
        width, height: px; memory beside the passes themselves does not grow with them.
        passes: names of FramePasses' fields.
        samples: per pixel edge; odd, so that one is the pixel's centre.
        check: called before every part of the work; what it raises ends the work.

    Raises:
        ValueError: a size, pass, sample count or face that makes no sense.
    """
    if not set(passes) <= _CHANNELS.keys() or min(width, height, samples) < 1 or samples % 2 == 0:
        raise ValueError(f"no frame of {width} x {height}, {samples} samples, passes {passes}")
    images = _empty(passes, width, height)
    if heads:
        scene = joined(heads, world_to_clip, world_to_view)
        looks = _looks(scene, heads, width * samples, height * samples)
        for tile in _tiles(scene, width, height, samples):
            check()
            screen = _seen_by(tile, scene.screen, width, height).float()
            fragments = (rasterizer or TorchRasterizer()).rasterize(
                screen[None], scene.faces, tile.height * samples, tile.width * samples
            )
            _draw(images, tile, scene, looks, fragments, samples)
    return FramePasses(**images)


def _empty(passes: Collection[str], width: int, height: int) -> dict[str, F32]:
    return {
        name: np.full((height, width, *_CHANNELS[name]), _NOTHING.get(name, 0.0), np.float32)
        for name in passes
    }


def _looks(scene: Scene, heads: Sequence[PlacedHead], columns: int, rows: int) -> list[_Look]:
    looks = []
    for head, first, end in zip(heads, scene.starts, scene.starts[1:], strict=False):
        shrink = _texels_per_sample(scene, head, slice(first, end), columns, rows)
        looks.append(_Look(head.surface, first, end, shrink))
    return looks


def _texels_per_sample(
    scene: Scene, head: PlacedHead, part: slice, columns: int, rows: int
) -> float:
    """Return how many texels lie between neighbouring samples, on average over a head's front.

    One number per head and frame, so that no seam shows where it changes.
    """
    shown = signed_areas(scene.screen[scene.faces[part]]) * (columns * rows / 4)
    texture = head.surface.levels[0].shape
    texels = signed_areas(scene.uvs[part]).abs() * (texture[2] * texture[3])
    front = shown < 0
    return float(texels[front].sum() / shown[front].sum().abs().clamp(min=1e-9)) ** 0.5


def _tiles(scene: Scene, width: int, height: int, samples: int) -> Iterator[_Tile]:
    """Cut what the heads cover into bands of rows with a limited number of samples."""
    known = scene.screen[torch.isfinite(scene.screen).all(1)][:, :2]
    if not len(known):
        return
    size = known.new_tensor([width, height])
    px = (known + 1) * size / 2
    left, top = px.amin(0).floor().clamp(min=0).minimum(size).long().tolist()
    right, bottom = px.amax(0).ceil().clamp(min=0).minimum(size).long().tolist()
    if right <= left:
        return
    rows = max(1, _TILE_SAMPLES // ((right - left) * samples**2))
    for first in range(top, bottom, rows):
        yield _Tile(left, first, right - left, min(rows, bottom - first))


def _seen_by(tile: _Tile, screen: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Return the screen points in the image NDC of a tile."""
    px = (screen[:, :2] + 1) * screen.new_tensor([width / 2, height / 2])
    origin = screen.new_tensor([tile.left, tile.top])
    ndc = (px - origin) * (2 / screen.new_tensor([tile.width, tile.height])) - 1
    return torch.cat([ndc, screen[:, 2:]], dim=1)


def _draw(
    images: dict[str, F32],
    tile: _Tile,
    scene: Scene,
    looks: Sequence[_Look],
    fragments: Fragments,
    samples: int,
) -> None:
    """Fill a tile of the images."""
    area = (slice(tile.top, tile.top + tile.height), slice(tile.left, tile.left + tile.width))
    shape = (tile.height, samples, tile.width, samples)
    count = fragments.covered().view(shape).float().sum(3).sum(1)
    if "mask" in images:
        images["mask"][area] = (count / samples**2).cpu().numpy()
    if "combined" in images:
        pixel, face, weights = covered_pixels(fragments, len(scene.faces))
        colours = _colours(scene, looks, face, _in_space(scene, face, weights))
        dense = colours.new_zeros(fragments.face_index.numel(), 3).index_copy(0, pixel, colours)
        colour = dense.view(*shape, 3).sum(3).sum(1) / count.clamp(min=1)[..., None]
        combined = torch.cat([colour.clamp(0, 1), count[..., None] / samples**2], dim=2)
        images["combined"][area] = combined.cpu().numpy()
    if not images.keys().isdisjoint(_DATA):
        for name, (covered, values) in _data(scene, fragments, shape).items():
            if name in images:
                images[name][area][covered.cpu().numpy()] = values.float().cpu().numpy()


def _in_space(scene: Scene, face: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return weights (P, 3) on the faces themselves for weights on their pictures, f32."""
    weights = weights * scene.per_w.index_select(0, scene.faces[face].flatten()).view(-1, 3)
    return weights / weights.sum(1, keepdim=True)


def _colours(
    scene: Scene, looks: Sequence[_Look], face: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Return the colours (P, 3), sRGB in [0, 1], of the listed faces and weights."""
    uvs = _mix(scene.uvs, face, weights)
    colours = uvs.new_empty(len(face), 3)
    for look in looks:
        own = ((face >= look.first) & (face < look.end)).nonzero()[:, 0]
        seen = sample_surface(look.surface, uvs.index_select(0, own), look.shrink)
        colours.index_copy_(0, own, seen)
    dark = colours.mean(1, keepdim=True) * colours.new_tensor(INSIDE)
    return torch.where(scene.away[face][:, None], dark, colours)


def _data(
    scene: Scene, fragments: Fragments, shape: tuple[int, int, int, int]
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Return depth, uv and normal: which pixels of the tile have them (H, W), and their values."""
    height, samples, width, _ = shape
    depth = fragments.depth[0].view(shape).permute(0, 2, 1, 3).reshape(height, width, samples**2)
    nearest, centre = depth.argmin(2), samples**2 // 2
    chosen = torch.where(torch.isfinite(depth[..., centre]), centre, nearest)
    covered = torch.isfinite(depth).any(2)
    row, column = covered.nonzero().unbind(1)
    inner = chosen[covered]
    row, column = row * samples + inner // samples, column * samples + inner % samples
    face = fragments.face_index[0, row, column].long()
    weights = _in_space(scene, face, fragments.barycentric[0, row, column])
    corners = scene.faces[face]
    normals = torch.bmm(weights[:, None], scene.normals[corners])[:, 0]
    normals = torch.where(scene.away[face][:, None], -normals, normals)
    return {
        "depth": (covered, (weights * scene.depth[corners]).sum(1)),
        "uv": (covered, _mix(scene.uvs, face, weights)),
        "normal": (covered, functional.normalize(normals, dim=1)),
    }


def _mix(values: torch.Tensor, face: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Interpolate values (F, 3, C) of face corners at faces (P,) with weights (P, 3)."""
    table = values.flatten(1).index_select(0, face).view(len(face), 3, -1)
    return torch.bmm(weights[:, None], table)[:, 0]
