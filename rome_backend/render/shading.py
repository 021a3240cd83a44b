# SPDX-License-Identifier: Apache-2.0
"""Pictures of head meshes for people to look at: clay, textured or vertex-coloured.

Does not know head models, avatars or files; it is given plain arrays.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64, I32, U8, Camera
from rome_backend.render.interpolate import covered_pixels
from rome_backend.render.rasterizer import Rasterizer, TorchRasterizer, image_ndc
from rome_backend.render.texture import sample_texture

_CLAY = (0.56, 0.48, 0.42)  # linear
# Direction to the light (x right, y up, z to the viewer), linear colour.
_LIGHTS = (
    ((-0.45, 0.55, 0.70), (0.92, 0.88, 0.82)),
    ((0.80, 0.05, 0.35), (0.22, 0.25, 0.30)),
)
_SKY, _GROUND = (0.17, 0.19, 0.22), (0.07, 0.06, 0.055)
INSIDE = (0.26, 0.13, 0.12)  # of the brightness: what is seen through mouth and neck
_WRAP = 0.25  # light reaches this far past the terminator, as if the lights were large


def picture(
    vertices: NDArray[np.floating],
    faces: I32,
    uvs: F32 | None,
    uv_faces: I32 | None,
    camera: Camera,
    albedo: U8 | None = None,
    supersample: int = 2,
    background: tuple[int, int, int] | None = None,
    vertex_colours: NDArray[np.floating] | None = None,
    light: float = 0.0,
    rasterizer: Rasterizer | None = None,
) -> U8:
    """Draw a mesh. Its inner side, seen through the open mouth or neck, is dark.

    Args:
        vertices: (V, 3) m, the camera's space; faces: (F, 3).
        uvs, uv_faces: (Vt, 2) v up, (F, 3); needed only with albedo.
        camera: where it is seen from; its width and height are the picture's.
        albedo: (T, T, 3) u8 sRGB; without it and without vertex colours the mesh is clay.
        supersample: samples per pixel edge.
        background: sRGB; None leaves it transparent.
        vertex_colours: (V, 3) sRGB 0..255, drawn instead of the albedo.
        light: 0 shows colours as they are, 1 lights them as fully as clay.
        rasterizer: TorchRasterizer when None.

    Returns:
        (H, W, 4) u8 sRGB with straight alpha.

    Raises:
        ValueError: an albedo without UVs.
    """
    height, width = camera.height * supersample, camera.width * supersample
    triangles = torch.as_tensor(np.asarray(faces)).long()
    points = torch.as_tensor(np.asarray(vertices)).double()
    screen = image_ndc(points, torch.as_tensor(camera.world_to_clip)).float()
    fragments = (rasterizer or TorchRasterizer()).rasterize(screen[None], triangles, height, width)
    pixel, face, weights = covered_pixels(fragments, len(triangles))
    normals = vertex_normals(points.numpy(), np.asarray(faces)) @ view_axes(camera).T
    shade = _light(_mix(torch.as_tensor(normals).float(), triangles, face, weights))
    if vertex_colours is not None:
        colours = torch.as_tensor(np.asarray(vertex_colours)).float()
        rgb = _lit(_mix(colours, triangles, face, weights), shade, light)
    elif albedo is not None:
        if uvs is None or uv_faces is None:
            raise ValueError("a textured picture needs uvs and uv_faces")
        rgb = _lit(_textured(albedo, uvs, uv_faces, face, weights), shade, light)
    else:
        rgb = 255 * _encode(shade * torch.tensor(_CLAY))
    inside = _faces_away(screen[triangles], face)[:, None]
    rgb = torch.where(inside, rgb.mean(1, keepdim=True) * torch.tensor(INSIDE), rgb)
    image = torch.zeros(height * width, 4)
    image.index_copy_(0, pixel, torch.cat([rgb, torch.full((len(rgb), 1), 255.0)], dim=1))
    return _resolve(image.view(height, width, 4), supersample, background)


def _faces_away(corners: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    """Whether the listed faces (P,) of corners (F, 3, 3) in image NDC show their inner side."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0)[face]


def _textured(
    albedo: U8, uvs: F32, uv_faces: I32, face: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    layout = torch.as_tensor(np.asarray(uv_faces)).long()
    where = _mix(torch.as_tensor(np.asarray(uvs)).float(), layout, face, weights)
    texture = torch.as_tensor(np.asarray(albedo)).permute(2, 0, 1).float()[None]
    return sample_texture(texture, where[None])[0]


def view_axes(camera: Camera) -> F64:
    """Return (3, 3): rows right, up and towards the viewer, unit, from the clip matrix."""
    right, up, depth, w = np.asarray(camera.world_to_clip, np.float64)[:, :3]
    away = w if np.linalg.norm(w) > 1e-12 else depth
    away = away / np.linalg.norm(away)
    right = right - away * (right @ away)
    up = up - away * (up @ away)
    return np.stack([right / np.linalg.norm(right), up / np.linalg.norm(up), -away])


def _mix(
    values: torch.Tensor, corners: torch.Tensor, face: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Interpolate (M, C) values at the listed faces and barycentrics."""
    table = values[corners].flatten(1).index_select(0, face).view(len(face), 3, -1)
    return torch.bmm(weights[:, None], table)[:, 0]


def _light(normals: torch.Tensor) -> torch.Tensor:
    """Return (P, 3) linear light on view-space normals: two soft lights and a sky."""
    normals = torch.nn.functional.normalize(normals, dim=1)
    up = (normals[:, 1:2] * 0.5 + 0.5).square()
    total = torch.tensor(_GROUND) + up * (torch.tensor(_SKY) - torch.tensor(_GROUND))
    for direction, colour in _LIGHTS:
        towards = torch.nn.functional.normalize(torch.tensor(direction), dim=0)
        amount = ((normals @ towards + _WRAP) / (1 + _WRAP)).clamp(min=0)
        total = total + (amount * amount.sqrt())[:, None] * torch.tensor(colour)
    return total


def _lit(colours: torch.Tensor, shade: torch.Tensor, light: float) -> torch.Tensor:
    if light == 0:
        return colours
    factor = _encode(1 + light * (shade.mean(1, keepdim=True) - 1))
    return (colours * factor).clamp(0, 255)


def _encode(linear: torch.Tensor) -> torch.Tensor:
    """A display curve for shading alone; colours of photos never pass through it."""
    return linear.clamp(0, 1.2).pow(1 / 2.2)


def _resolve(image: torch.Tensor, supersample: int, background: tuple[int, int, int] | None) -> U8:
    """Average premultiplied samples (sH, sW, 4) to straight alpha (H, W, 4) u8."""
    height, width = image.shape[0] // supersample, image.shape[1] // supersample
    image = image.view(height, supersample, width, supersample * 4)
    image = image.sum(1).view(height, width, supersample, 4).sum(2) / supersample**2
    alpha = image[..., 3:] / 255
    rgb = image[..., :3]
    if background is not None:
        rgb = rgb + (1 - alpha) * torch.tensor(background, dtype=torch.float32)
        alpha = torch.ones_like(alpha)
    else:
        rgb = rgb / alpha.clamp(min=1e-6)
    out = torch.cat([rgb, 255 * alpha], dim=-1)
    return (out.clamp(0, 255) + 0.5).to(torch.uint8).numpy()
