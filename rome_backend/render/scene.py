# SPDX-License-Identifier: Apache-2.0
"""Several placed heads as one mesh on the screen of a camera.

Does not know pixels, textures or passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from rome_backend.core.normals import vertex_normals
from rome_backend.core.types import F32, F64
from rome_backend.render.rasterizer import image_ndc
from rome_backend.render.surface import Surface


@dataclass(frozen=True)
class PlacedHead:
    """A head where it stands: vertices (V, 3) m in world space; mirrored: turned inside out by a
    negative scale, so that its faces are clockwise from outside."""

    surface: Surface
    vertices: F32
    mirrored: bool = False


class Scene(NamedTuple):
    """All heads as one mesh.

    screen (V, 3) f64: image NDC and a depth to sort by, NaN for what is not drawn; per_w (V,):
    1 / w; depth (V,) m; normals (V, 3) f32; faces (F, 3); uvs (F, 3, 2); away (F,): shows its
    inner side; starts: the first face of each head and, last, the number of faces.
    """

    screen: torch.Tensor
    per_w: torch.Tensor
    depth: torch.Tensor
    normals: torch.Tensor
    faces: torch.Tensor
    uvs: torch.Tensor
    away: torch.Tensor
    starts: list[int]


def joined(heads: Sequence[PlacedHead], world_to_clip: F64, world_to_view: F64) -> Scene:
    """Return the heads as one mesh, seen through a clip matrix (4, 4) and a view matrix (4, 4).

    It is on the device of the heads' surfaces, which must be one.

    Raises ValueError for a face that names a vertex its head does not have.
    """
    faces, uvs, base = [], [], 0
    for head in heads:
        own = head.surface.faces
        if len(own) and int(own.max()) >= len(head.vertices):
            raise ValueError("a face names a vertex that the head does not have")
        faces.append((own.flip(1) if head.mirrored else own) + base)
        uvs.append(head.surface.uvs.flip(1) if head.mirrored else head.surface.uvs)
        base += len(head.vertices)
    triangles = torch.cat(faces)
    device = triangles.device
    vertices = np.concatenate([head.vertices for head in heads]).astype(np.float64)
    points = torch.as_tensor(vertices, device=device)
    shading = vertex_normals(vertices, triangles.cpu().numpy())
    normals = torch.as_tensor(shading, device=device).float()
    view = torch.as_tensor(np.asarray(world_to_view, np.float64), device=device)
    depth = -(points @ view[2, :3] + view[2, 3])
    matrix = torch.as_tensor(np.asarray(world_to_clip, np.float64), device=device)
    screen, per_w = _on_screen(points, matrix, depth)
    away = signed_areas(screen[triangles]) > 0
    starts = np.cumsum([0] + [len(each) for each in faces]).tolist()
    return Scene(screen, per_w, depth, normals, triangles, torch.cat(uvs), away, starts)


def _on_screen(
    points: torch.Tensor, matrix: torch.Tensor, depth: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return image NDC with a depth to sort by, NaN outside the depth range, and 1 / w.

    What is sorted by must be linear on the screen and precise in f32: -1/w is both for a pinhole,
    wherever its clip start is; the depth itself is for an orthographic camera.
    """
    ndc = image_ndc(points, matrix)
    per_w = 1 / (points @ matrix[3, :3] + matrix[3, 3])
    pinhole = bool(matrix[3, :3].abs().max() > 0)
    screen = torch.cat([ndc[:, :2], (-per_w if pinhole else depth)[:, None]], dim=1)
    inside = (ndc[:, 2].abs() <= 1)[:, None]
    return torch.where(inside, screen, torch.nan), per_w.float()


def signed_areas(corners: torch.Tensor) -> torch.Tensor:
    """Return twice the areas (F,) of 2D corners (F, 3, 2 or more), signed."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
