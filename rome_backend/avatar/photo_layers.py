# SPDX-License-Identifier: Apache-2.0
"""An avatar in a new view as two layers: its source photo carried there, and its textured mesh.

Does not know networks or files.

For every pixel the mesh says where that place of the surface lay in the source photo. Past the
mesh's outline the flow goes on smoothly, so that hair, ears and soft edges come from the photo as
well. What the photo did not show keeps the baked texture. Source: our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rome_backend.avatar.head_surface import HeadSurface
from rome_backend.avatar.photo_source import PhotoSource, filled, px_per_metre, smooth_step
from rome_backend.core.camera import project
from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, U8, Camera
from rome_backend.render.fragments import Fragments
from rome_backend.render.interpolate import interpolate_corners, interpolate_vertices
from rome_backend.render.rasterizer import TorchRasterizer, image_ndc
from rome_backend.render.shading import INSIDE, view_axes
from rome_backend.render.texture import sample_texture

GUIDES = 8
AWAY, TURN = 6, 7  # places of the distance and of the head's turn among them
_TIGHT, _LOOSE = 1e-3, 2e-2  # m behind the nearest surface that still count as seen: face, hair
_SLOPE = 2.0  # px of leeway in depth, where the surface is steep
_STRETCH = (0.3, 0.8)  # how much smaller the photo may show a place than the new view does
_GRAZING = 0.1  # added to both cosines of that
_KNOWN = 0.02  # trust from which a place's flow is believed
_FAR, _NEAR = 0.1, 0.0065  # m past the outline that the photo is carried: unturned, turned
_TURNED = (2.0, 14.0)  # degrees between them
_TO_BOTH = (0.15, 0.85)  # trust below and above which one layer alone has the say on the matte
_FRONT = 0.3  # cosine: what of the mesh counts for how the head has moved in the picture


@dataclass(frozen=True)
class PhotoLayers:
    """N views, all in [0, 1]: carried (N, 4, H, W), the photo's colours and matte; drawn
    (N, 4, H, W), the textured mesh and its coverage, 0 where no mesh is;
    guides (N, GUIDES, H, W): trust in the carried matte, in the carried colour, cosine of the
    normal to the line of sight now and in the photo, how loosely the shape is known, the mouth's
    and neck's inner side, distance from the mesh (of _FAR), turn of the head (of 45 degrees)."""

    carried: torch.Tensor
    drawn: torch.Tensor
    guides: torch.Tensor


@dataclass(frozen=True)
class _Seen:
    """What the mesh says of each sample of a picture (H, W): covered bool; px (H, W, 2) in the
    photo; behind m; before, now: cosines in the photo and here; loose; inner bool; rgb (H, W, 3)
    0..1 of the texture."""

    covered: np.ndarray
    px: F32
    behind: F32
    before: F32
    now: F32
    loose: F32
    inner: np.ndarray
    rgb: F32


def photo_layers(
    source: PhotoSource, surface: HeadSurface, albedo: U8, vertices: F64, camera: Camera
) -> PhotoLayers:
    """Return the layers (N = 1) of one view, a value per px of the camera's picture.

    vertices (V, 3) m: the avatar posed for the view, without the source's shift; albedo
    (T, T, 3) u8: its texture; surface: of its head, on the CPU.
    """
    placed = vertices + source.shift
    axes = view_axes(camera)
    view, px = placed @ axes.T, project(camera, placed)[:, :2]
    seen = _seen(source, surface, albedo, placed, camera)
    trust = _trust(source, seen)
    flow = _flow(source, seen, trust, px)
    step = _source_px_per_px(source, px)
    rgb, matte, valid = _carried(source, flow, step)
    beyond = (seen.covered * (1 - valid))[..., None]
    rgb = rgb + beyond * (seen.rgb - rgb)  # nothing else is known there
    away = _away(seen.covered) / px_per_metre(px, view)
    turn = turn_degrees(source.view, view)
    on_matte, on_colour = _weights(seen.covered, trust, away, turn, valid)
    guides = [
        on_matte, on_colour, seen.now, seen.before, seen.loose, seen.inner,
        np.clip(away / _FAR, 0, 1), np.full(matte.shape, min(turn / 45, 1.0)),
    ]  # fmt: skip
    return PhotoLayers(
        _stacked([*np.moveaxis(rgb, -1, 0), matte]),
        _stacked([*np.moveaxis(seen.rgb, -1, 0), seen.covered]),
        _stacked(guides),
    )


def _stacked(planes: list[np.ndarray]) -> torch.Tensor:
    return torch.as_tensor(np.stack([np.clip(p, 0, 1) for p in planes]).astype(np.float32))[None]


def turn_degrees(first: F64, second: F64) -> float:
    """Return by how many degrees points (V, 3) have turned to others (V, 3), Kabsch's rotation."""
    centred = [points - points.mean(0) for points in (first, second)]
    left, _, right = np.linalg.svd(centred[0].T @ centred[1])
    kept = np.diag([1, 1, np.sign(np.linalg.det(left @ right))])
    trace = np.trace(left @ kept @ right)
    return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))))


def _seen(
    source: PhotoSource, surface: HeadSurface, albedo: U8, vertices: F64, camera: Camera
) -> _Seen:
    screen = image_ndc(torch.as_tensor(vertices), torch.as_tensor(camera.world_to_clip)).float()
    fragments = TorchRasterizer().rasterize(
        screen[None], surface.faces, camera.height, camera.width
    )
    faces = surface.faces.numpy()
    facing = vertex_normals(vertices, faces) @ view_axes(camera)[2]
    columns = np.c_[source.px, -source.view[:, 2], source.facing, facing, source.loose]
    mixed = interpolate_vertices(fragments, surface.faces, torch.as_tensor(columns).float())
    found = mixed[0].numpy()
    covered = fragments.covered()[0].numpy()
    inner = _shows_inside(screen.numpy()[faces])[fragments.face_index[0].numpy()] & covered
    rgb = _textured(fragments, surface, albedo)
    dark = rgb.mean(-1, keepdims=True) * np.asarray(INSIDE, np.float32)
    rgb = np.where(inner[..., None], dark, rgb) * covered[..., None]
    px = np.where(covered[..., None], found[..., :2], 0)
    behind, before, now, loose = np.moveaxis(found[..., 2:], -1, 0)
    return _Seen(covered, px, behind, before, now, loose, inner, rgb)


def _shows_inside(corners: F32) -> np.ndarray:
    """Whether faces (F,) of corners (F, 3, 3) in image NDC show their inner side."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0)


def _textured(fragments: Fragments, surface: HeadSurface, albedo: U8) -> F32:
    uv = interpolate_corners(fragments, surface.corner_uvs())
    texture = torch.as_tensor(np.array(albedo)).permute(2, 0, 1).float()[None] / 255
    return np.asarray(sample_texture(texture, uv)[0].numpy())


def _trust(source: PhotoSource, seen: _Seen) -> F32:
    """How well the photo shows what the mesh shows here (H, W): hidden there, or far smaller."""
    side = len(source.nearest)
    column, row = (np.clip(seen.px[..., k].astype(np.int32), 0, side - 1) for k in (0, 1))
    facing = np.clip(seen.before, 0.15, 1)
    slope = _SLOPE * np.sqrt(1 - facing**2) / facing / source.scale
    allowed = _TIGHT + (_LOOSE - _TIGHT) * seen.loose + slope
    shown = (seen.behind - source.nearest[row, column] < allowed) & seen.covered & ~seen.inner
    before, now = (np.clip(each, 0, 1) + _GRAZING for each in (seen.before, seen.now))
    stretch = smooth_step(before / now, *_STRETCH)
    return np.asarray(shown * stretch * source.valid[row, column], np.float32)


def _flow(source: PhotoSource, seen: _Seen, trust: F32, px: F64) -> F32:
    """Return where in the photo each px of the picture comes from (H, W, 2), everywhere.

    What the photo does not show moves as what lies round it, beyond a similarity of the picture.
    """
    front = source.facing > _FRONT
    matrix = _similarity(px[front], source.px[front])
    row, column = np.indices(seen.covered.shape) + 0.5
    moved = np.stack([column, row], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    known = (trust > _KNOWN).astype(np.float32)
    further = np.asarray(seen.px - moved, np.float32)
    around = filled(further, known)
    return np.asarray(moved + np.where(known[..., None] > 0, further, around), np.float32)


def _similarity(first: F64, second: F64) -> F64:
    """Return the similarity (2, 3) that brings points (L, 2) nearest to others, least squares."""
    (a, b), (x, y) = (each.mean(0) for each in (first, second)), (0, 1)
    p, q = first - a, second - b
    cosine = (p * q).sum() / (p**2).sum()
    sine = (p[:, x] * q[:, y] - p[:, y] * q[:, x]).sum() / (p**2).sum()
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, b - turn @ a])


def _source_px_per_px(source: PhotoSource, px: F64) -> float:
    front = source.facing > _FRONT
    return float(np.linalg.norm(source.px[front].std(0)) / np.linalg.norm(px[front].std(0)))


def _carried(source: PhotoSource, flow: F32, step: float) -> tuple[F32, F32, F32]:
    """Return the photo's colours (H, W, 3), matte and validity (H, W), in [0, 1], by a flow.

    step: px of the photo between two of the picture; above 1 the photo is averaged first.
    """
    layers = [source.rgb, source.matte, source.valid]
    side = len(source.matte)
    small = max(1, round(side / step)) if step > 1 else side
    if small < side:
        size = (small, small)
        layers = [
            np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.float32)
            for each in layers
        ]
    x, y = (np.ascontiguousarray(flow[..., k] * (small / side) - 0.5, np.float32) for k in (0, 1))
    rgb = cv2.remap(layers[0], x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    matte = cv2.remap(layers[1], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    valid = cv2.remap(layers[2], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return rgb / np.float32(255), np.asarray(matte, np.float32), np.asarray(valid, np.float32)


def _away(covered: np.ndarray) -> F32:
    """Return the distance from the mesh in px (H, W)."""
    empty = (~covered).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(empty, cv2.DIST_L2, 3), np.float32)


def _weights(
    covered: np.ndarray, trust: F32, away: F32, turn: float, valid: F32
) -> tuple[F32, F32]:
    """Return how much the carried matte and the carried colour count (H, W).

    Past the outline the matte counts as much as at the nearest places of the mesh, up to a
    distance that shrinks as the head turns: nobody knows how deep hair lies there.
    """
    turned = float(smooth_step(np.array(turn), *_TURNED))
    reach = _FAR + (_NEAR - _FAR) * turned
    beside = filled(trust[..., None], covered.astype(np.float32))[..., 0]
    beside = beside * smooth_step(-away, -reach, -reach / 2)
    on_matte = smooth_step(np.where(covered, trust, beside) * valid, *_TO_BOTH)
    return on_matte, np.asarray(np.where(covered, trust, 1) * valid, np.float32)
