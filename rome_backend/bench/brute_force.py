# SPDX-License-Identifier: Apache-2.0
"""Rasterizers that compare every pixel with every face: the peers that ours are measured against.

Does not know our rasterizers. What PyTorch3D's CPU code computes, written in torch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional

from rome_backend.render.rasterizer import barycentric, pixel_centres
from rome_backend.render.silhouette import Softness, squared_distance

_PIXELS_AT_ONCE = 256


def nearest_faces(
    vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int, every: int = 1
) -> torch.Tensor:
    """Return the face of every pixel (rows, W) i64, -1 for none; vertices (V, 3) image NDC.

    every: work on every n-th row only. Each pixel costs the same, so the whole picture costs n
    times as much.
    """
    corners = vertices[faces]
    found = []
    centres = _centres(height, width, every).to(vertices)
    for points in centres.split(_PIXELS_AT_ONCE):
        weights = _all_weights(corners, points)
        depth = (weights * corners[:, :, 2]).sum(-1)
        depth = torch.where((weights >= 0).all(-1), depth, torch.inf)
        nearest, face = depth.min(1)
        found.append(torch.where(nearest < torch.inf, face, -1))
    return torch.cat(found).view(-1, width)


def soft_alpha(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    height: int,
    width: int,
    softness: Softness,
    every: int = 1,
) -> torch.Tensor:
    """Return the soft silhouette (rows, W) in [0, 1] of vertices (V, 3) image NDC, differentiable.

    every: as for nearest_faces.
    """
    corners = vertices[faces]
    centres = _centres(height, width, every).to(vertices)
    alphas = []
    for points in centres.split(_PIXELS_AT_ONCE):
        with torch.no_grad():
            face, counts = _nearest_soft(corners, points, softness)
        owner, place = counts.nonzero(as_tuple=True)
        distance = _signed(corners[face[owner, place]], points[owner])
        free = functional.logsigmoid(distance / softness.sigma)
        alphas.append(-torch.expm1(free.new_zeros(len(points)).index_add(0, owner, free)))
    return torch.cat(alphas).view(-1, width)


def _centres(height: int, width: int, every: int) -> torch.Tensor:
    """Image NDC (P, 2) of the pixel centres of every n-th row."""
    pixels = torch.arange(height * width).view(height, width)[::every]
    return pixel_centres(pixels.flatten(), height, width)


def _nearest_soft(
    corners: torch.Tensor, points: torch.Tensor, softness: Softness
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the K nearest counting faces (P, K) of points (P, 2), and which of them count."""
    weights = _all_weights(corners, points)
    depth = (weights * corners[:, :, 2]).sum(-1)
    count, total = len(points), len(corners)
    pairs = corners.expand(count, -1, -1, -1).reshape(-1, 3, 3)
    distance = _signed(pairs, points.repeat_interleave(total, 0)).view(count, total)
    counts = (distance < softness.blur_radius) & (depth >= softness.least_depth)
    nearest, face = torch.where(counts, depth, torch.inf).topk(
        min(softness.faces_per_pixel, total), largest=False
    )
    return face, nearest < torch.inf


def _all_weights(corners: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Barycentric weights (P, F, 3) of every point in every face."""
    count, total = len(points), len(corners)
    pairs = corners[..., :2].expand(count, -1, -1, -1).reshape(-1, 3, 2)
    return barycentric(pairs, points.repeat_interleave(total, 0)).view(count, total, 3)


def _signed(corners: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Signed squared distance (P,) of points (P, 2) to triangles (P, 3, 3), negative inside."""
    flat = corners[..., :2]
    edges = [squared_distance(flat[:, i], flat[:, (i + 1) % 3], points) for i in range(3)]
    squared = torch.stack(edges).amin(0)
    inside = (barycentric(flat.detach(), points) > 0).all(-1)
    return torch.where(inside, -squared, squared)
