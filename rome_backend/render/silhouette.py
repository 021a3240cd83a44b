# SPDX-License-Identifier: Apache-2.0
"""The soft silhouette of a mesh: how much every pixel is covered, with gradients at its outline.

Does not know what the silhouette is compared with.

Source: rome-spec section 2.8 (Liu et al. 2019, "Soft Rasterizer", as PyTorch3D has it): of the
faces within a small distance of a pixel centre the nearest few count, each by the sigmoid of its
signed squared distance. Which faces those are, and their nearest edges, is found in float64 without
gradient (silhouette_hits); distances are then ordinary differentiable operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from rome_backend.render.rasterizer import pixel_centres
from rome_backend.render.silhouette_hits import Hits, find_hits


@dataclass(frozen=True)
class Softness:
    """How soft the outline is; the defaults are the released ones."""

    blur_radius: float = 1e-4
    """Squared distance (NDC) up to which a face counts for a pixel outside of it."""
    sigma: float = 1e-4
    """Squared distance over which the coverage falls."""
    faces_per_pixel: int = 10
    """How many faces count, the nearest first."""
    least_depth: float = -10.0
    """Depth under which a face's plane does not count. Planes of slivers seen from the side reach
    far out; the released system adds 10 to depths and drops what PyTorch3D drops, those below 0."""

    def __post_init__(self) -> None:
        """Raise ValueError on numbers that make no silhouette."""
        if self.blur_radius < 0 or self.sigma <= 0 or self.faces_per_pixel < 1:
            raise ValueError(f"a silhouette needs positive numbers: {self}")


RELEASED_SOFTNESS = Softness()


@dataclass(frozen=True)
class SoftSilhouette:
    """alpha (N, H, W) in [0, 1], differentiable; visible (N, V) bool.

    A vertex is visible when a face of it is the nearest of those that count for some pixel.
    """

    alpha: torch.Tensor
    visible: torch.Tensor


def soft_silhouette(
    vertices: torch.Tensor,
    faces: torch.Tensor,
    height: int,
    width: int,
    softness: Softness = RELEASED_SOFTNESS,
    detached: torch.Tensor | None = None,
) -> SoftSilhouette:
    """Return the soft silhouette of a mesh.

    Args:
        vertices: (N, V, 3) f32 image NDC as Rasterizer.rasterize takes them.
        faces: (F, 3) integer.
        height, width: px.
        softness: blur, slope and number of faces.
        detached: (V,) bool or None: vertices that cover pixels but receive no gradient.

    Raises:
        ValueError: shapes that do not fit, or a picture without pixels.
    """
    if vertices.ndim != 3 or vertices.shape[-1] != 3 or faces.ndim != 2 or faces.shape[-1] != 3:
        raise ValueError("vertices must be (N, V, 3) and faces (F, 3)")
    if height < 1 or width < 1:
        raise ValueError(f"the picture must have pixels, not {height} x {width}")
    if detached is not None:
        if detached.shape != vertices.shape[1:2]:
            raise ValueError(f"detached must be ({vertices.shape[1]},), not {detached.shape}")
        vertices = torch.where(detached[:, None], vertices.detach(), vertices)
    faces = faces.long()
    with torch.no_grad():
        hits = find_hits(
            vertices.detach()[:, faces].flatten(0, 1).double(),
            len(vertices),
            (height, width),
            softness.blur_radius,
            softness.faces_per_pixel,
            softness.least_depth,
        )
    points = pixel_centres(hits.pixel % (height * width), height, width).to(vertices)
    distances = _signed_squared_distances(vertices, faces, hits, points)
    # log(1 - sigmoid(-d / sigma)) = logsigmoid(d / sigma)
    free = functional.logsigmoid(distances / softness.sigma)
    total = free.new_zeros(len(vertices) * height * width).index_add(0, hits.pixel, free)
    alpha = -torch.expm1(total).view(len(vertices), height, width)
    return SoftSilhouette(alpha, _visible(hits, faces, len(vertices), vertices.shape[1]))


def _visible(hits: Hits, faces: torch.Tensor, count: int, vertex_count: int) -> torch.Tensor:
    nearest = hits.face[hits.rank == 0].unique()
    vertex = faces[nearest % len(faces)] + (nearest // len(faces) * vertex_count)[:, None]
    visible = torch.zeros(count * vertex_count, dtype=torch.bool, device=faces.device)
    visible[vertex.flatten()] = True
    return visible.view(count, vertex_count)


def _signed_squared_distances(
    vertices: torch.Tensor, faces: torch.Tensor, hits: Hits, points: torch.Tensor
) -> torch.Tensor:
    """Return the signed squared distance (P,) of every hit's centre (P, 2) to the face's outline.

    The nearest edge alone has a part in it, as in a minimum over the three.
    """
    first = hits.face // max(len(faces), 1) * vertices.shape[1]
    corner = faces.index_select(0, hits.face % max(len(faces), 1))
    flat = vertices[..., :2].reshape(-1, 2)
    start = flat.index_select(0, first + corner.gather(1, hits.edge[:, None])[:, 0])
    end = flat.index_select(0, first + corner.gather(1, (hits.edge[:, None] + 1) % 3)[:, 0])
    squared = squared_distance(start, end, points)
    return torch.where(hits.inside, -squared, squared)


def squared_distance(start: torch.Tensor, end: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Squared distance (P,) of points (P, 2) to segments start-end (P, 2), their unit squared."""
    step, offset = end - start, points - start
    length = (step * step).sum(-1)
    along = (step * offset).sum(-1) / torch.where(length > 0, length, torch.ones_like(length))
    away = offset - along.clamp(0, 1)[:, None] * step
    return (away * away).sum(-1)
