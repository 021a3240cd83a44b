# SPDX-License-Identifier: Apache-2.0
"""The soft silhouette of a mesh: how much every pixel is covered, with gradients at its outline.

Does not know what the silhouette is compared with.

Source: rome-spec section 2.8 (Liu et al. 2019, "Soft Rasterizer", as PyTorch3D has it): of the
faces within a small distance of a pixel centre the nearest few count, each by the sigmoid of its
signed squared distance. Which faces those are is found in float64 without gradient; distances are
then ordinary differentiable operations.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from rome_backend.render.rasterizer import barycentric, pixel_centres

_MAX_PAIRS = 1 << 21
_NO_AREA = 1e-8  # NDC: faces with less than this twice their area are skipped


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


@dataclass(frozen=True)
class _Hits:
    """Pairs of a pixel of all pictures (P,) and a face of all pictures (P,), by pixel and depth.

    rank (P,): how many nearer faces the pixel has.
    """

    pixel: torch.Tensor
    face: torch.Tensor
    rank: torch.Tensor


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
    corners = vertices[:, faces].flatten(0, 1)
    with torch.no_grad():
        hits = _hits(corners.detach().double(), len(vertices), height, width, softness)
    points = pixel_centres(hits.pixel % (height * width), height, width).to(vertices)
    flat = corners[:, :, :2].reshape(-1, 6).index_select(0, hits.face).view(-1, 3, 2)
    distances = signed_squared_distance(flat, points)
    # log(1 - sigmoid(-d / sigma)) = logsigmoid(d / sigma)
    free = functional.logsigmoid(distances / softness.sigma)
    total = free.new_zeros(len(vertices) * height * width).index_add(0, hits.pixel, free)
    alpha = -torch.expm1(total).view(len(vertices), height, width)
    return SoftSilhouette(alpha, _visible(hits, faces, len(vertices), vertices.shape[1]))


def _visible(hits: _Hits, faces: torch.Tensor, count: int, vertex_count: int) -> torch.Tensor:
    nearest = hits.face[hits.rank == 0].unique()
    vertex = faces[nearest % len(faces)] + (nearest // len(faces) * vertex_count)[:, None]
    visible = torch.zeros(count * vertex_count, dtype=torch.bool, device=faces.device)
    visible[vertex.flatten()] = True
    return visible.view(count, vertex_count)


def _hits(corners: torch.Tensor, count: int, height: int, width: int, softness: Softness) -> _Hits:
    """Find the faces of every pixel; corners (N F, 3, 3) f64, the faces of all pictures."""
    first, span = _boxes(corners, height, width, softness.blur_radius)
    face_count = len(corners) // max(count, 1)
    pixels, owners, depths = [], [], []
    for start, end in _ranges(span.prod(-1), _MAX_PAIRS):
        number = span[start:end].prod(-1)
        owner = torch.repeat_interleave(number)
        offset = torch.arange(len(owner), device=corners.device)
        offset = offset - (number.cumsum(0) - number)[owner]
        owner = owner + start
        column = first[owner, 0] + offset % span[owner, 0]
        row = first[owner, 1] + offset // span[owner, 0]
        kept, depth = _counting(corners[owner], row * width + column, height, width, softness)
        owner = owner[kept]
        picture = owner // max(face_count, 1)
        pixels.append(picture * (height * width) + (row * width + column)[kept])
        owners.append(owner)
        depths.append(depth[kept])
    pixel = torch.cat([*pixels, corners.new_zeros(0).long()])
    owner = torch.cat([*owners, corners.new_zeros(0).long()])
    return _nearest(pixel, owner, torch.cat([*depths, corners.new_zeros(0)]), softness)


def _boxes(
    corners: torch.Tensor, height: int, width: int, blur_radius: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """First pixel (M, 2), column and row, and size (M, 2) px of every face's grown box."""
    size = corners.new_tensor([width, height])
    usable = torch.isfinite(corners).flatten(1).all(1)
    flat = torch.where(usable[:, None, None], corners[..., :2], torch.zeros_like(corners[..., :2]))
    u, v = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    usable &= (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).abs() > _NO_AREA
    reach = blur_radius**0.5
    low = torch.ceil((flat.amin(1) - reach + 1) * size / 2 - 0.5).clamp(min=0)
    high = torch.floor((flat.amax(1) + reach + 1) * size / 2 - 0.5)
    high = torch.minimum(high, size - 1)
    span = (high - low + 1).clamp(min=0) * usable[:, None]
    return torch.minimum(low, size - 1).long(), span.long()


def _ranges(counts: torch.Tensor, limit: int) -> list[tuple[int, int]]:
    """Cut consecutive items into ranges whose counts sum to at most limit (or single items)."""
    ranges, start, done = [], 0, 0
    sums = counts.cumsum(0)
    while start < len(counts):
        end = int(torch.searchsorted(sums, done + limit, right=True))
        end = max(end, start + 1)
        ranges.append((start, end))
        start, done = end, int(sums[end - 1])
    return ranges


def _counting(
    corners: torch.Tensor, pixel: torch.Tensor, height: int, width: int, softness: Softness
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which pairs of face (P, 3, 3) and pixel (P,) count, and the depth of the face's plane."""
    points = pixel_centres(pixel, height, width).to(corners)
    weights = barycentric(corners[..., :2], points, _NO_AREA)
    distance = signed_squared_distance(corners[..., :2], points)
    depth = (weights * corners[..., 2]).sum(-1)
    return (distance < softness.blur_radius) & (depth >= softness.least_depth), depth


def _nearest(
    pixel: torch.Tensor, owner: torch.Tensor, depth: torch.Tensor, softness: Softness
) -> _Hits:
    """Keep the nearest faces of every pixel; of equally deep ones the lowest index comes first."""
    order = owner.argsort(stable=True)
    order = order[depth[order].argsort(stable=True)]
    order = order[pixel[order].argsort(stable=True)]
    pixel, owner = pixel[order], owner[order]
    place = torch.arange(len(pixel), device=pixel.device)
    starts = torch.ones_like(pixel, dtype=torch.bool)
    starts[1:] = pixel[1:] != pixel[:-1]
    rank = place - torch.where(starts, place, torch.zeros_like(place)).cummax(0).values
    kept = rank < softness.faces_per_pixel
    return _Hits(pixel[kept], owner[kept], rank[kept])


def signed_squared_distance(corners: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Squared distance (P,) of 2D points (P, 2) to the outlines of triangles (P, 3, 2).

    Negative inside, where all three barycentrics are above 0. Unit: the input's, squared.
    """
    start, end = corners, corners[:, [1, 2, 0]]
    step, offset = end - start, points[:, None] - start
    length = (step * step).sum(-1)
    along = (step * offset).sum(-1) / torch.where(length > 0, length, torch.ones_like(length))
    away = offset - along.clamp(0, 1)[..., None] * step
    squared = (away * away).sum(-1).amin(-1)
    inside = (barycentric(corners.detach(), points, _NO_AREA) > 0).all(-1)
    return torch.where(inside, -squared, squared)
