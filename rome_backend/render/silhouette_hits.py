# SPDX-License-Identifier: Apache-2.0
"""Finds which faces count for every pixel of a soft silhouette, and where they are nearest.

Does not know gradients: what it returns are indices.

Method (our own): every face's box, grown by the blur, is cut into pixels; distances to the three
edges come from what was computed once per face; one sort orders the pairs by pixel and depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

_MAX_PAIRS = 1 << 20
_NO_AREA = 1e-8  # NDC: faces with less than this twice their area are skipped


@dataclass(frozen=True)
class Hits:
    """Pairs of a pixel and a face that counts for it, by pixel, then depth, then face.

    pixel (P,): of all pictures, row by row; face (P,): of all pictures' faces;
    rank (P,): how many nearer faces the pixel has; edge (P,): the nearest edge, 0..2, which
    starts at the face's corner of that number; inside (P,) bool: the centre lies in the face.
    """

    pixel: torch.Tensor
    face: torch.Tensor
    rank: torch.Tensor
    edge: torch.Tensor
    inside: torch.Tensor


def find_hits(
    corners: torch.Tensor,
    pictures: int,
    size: tuple[int, int],
    blur_radius: float,
    faces_per_pixel: int,
    least_depth: float,
) -> Hits:
    """Find the nearest faces of every pixel.

    Args:
        corners: (N F, 3, 3) f64 image NDC, the faces of all N pictures.
        pictures: N; size: height and width in px.
        blur_radius: squared distance (NDC) up to which a face counts outside of it.
        faces_per_pixel: how many count; least_depth: depth under which a face's plane does not.
    """
    height, width = size
    first, span = _boxes(corners, height, width, blur_radius)
    table = _face_table(corners)
    face_count = len(corners) // max(pictures, 1)
    found: list[tuple[torch.Tensor, ...]] = []
    for start, end in _ranges(span.prod(-1), _MAX_PAIRS):
        owner, column, row = _box_pixels(first, span, start, end)
        x, y = (2 * column + 1).double() / width - 1, (2 * row + 1).double() / height - 1
        values = table.index_select(1, owner)
        distance, edge, inside = _nearest_edge(values, x, y)
        depth = values[15] * x + values[16] * y + values[17]
        kept = ((inside | (distance < blur_radius)) & (depth >= least_depth)).nonzero()[:, 0]
        owner, pixel = owner[kept], (row * width + column)[kept]
        pixel = pixel + owner // max(face_count, 1) * (height * width)
        found.append((pixel, owner, depth[kept], edge[kept], inside[kept]))
    if not found:
        none = torch.zeros(0, dtype=torch.long, device=corners.device)
        return Hits(none, none, none, none, none.bool())
    pixel, face, depth, edge, inside = (torch.cat(parts) for parts in zip(*found, strict=True))
    return _ranked(pixel, face, depth, edge, inside, faces_per_pixel)


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


def _face_table(corners: torch.Tensor) -> torch.Tensor:
    """Return what is computed once per face of corners (M, 3, 3), (19, M).

    Rows 0-14: of the three edges the start's x, then y, the step's x, then y, and the step's
    inverse squared length (0 for none), three rows each; 15-17: depth as a x + b y + c; 18: the
    winding, +1 or -1. Unusable faces give NaN.
    """
    start = corners[..., :2]
    step = start[:, [1, 2, 0]] - start
    length = (step * step).sum(-1)
    inverse = torch.where(length > 0, 1 / length, torch.zeros_like(length))
    area = step[:, 0, 1] * step[:, 2, 0] - step[:, 0, 0] * step[:, 2, 1]
    turn = torch.sign(area)
    # depth = sum over corners of z times weight; a weight is the cross product of the opposite
    # edge and the point's way to it, over the area (less PyTorch3D's epsilon)
    z = corners[..., 2] / (area - _NO_AREA)[:, None]
    opposite, origin = step[:, [1, 2, 0]], start[:, [1, 2, 0]]
    a, b = -(opposite[..., 1] * z).sum(-1), (opposite[..., 0] * z).sum(-1)
    through = opposite[..., 1] * origin[..., 0] - opposite[..., 0] * origin[..., 1]
    plane = torch.stack([a, b, (through * z).sum(-1)])
    edges = torch.cat([start[..., 0], start[..., 1], step[..., 0], step[..., 1], inverse], dim=1)
    return torch.cat([edges.T, plane, turn[None]])


def _box_pixels(
    first: torch.Tensor, span: torch.Tensor, start: int, end: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return owner, column and row (P,) of every pixel in the boxes of faces start..end."""
    number = span[start:end].prod(-1)
    owner = torch.repeat_interleave(number)
    offset = torch.arange(len(owner), device=span.device)
    offset = offset - (number.cumsum(0) - number).index_select(0, owner)
    owner = owner + start
    wide = span[:, 0].index_select(0, owner)
    down = torch.div(offset, wide, rounding_mode="floor")
    column = first[:, 0].index_select(0, owner) + offset - down * wide
    return owner, column, first[:, 1].index_select(0, owner) + down


def _nearest_edge(
    values: torch.Tensor, x: torch.Tensor, y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return squared distance (P,) to the outline, its edge (P,) and whether (x, y) is inside.

    values (19, P): the columns of _face_table of the points' faces.
    """
    start_x, start_y, step_x, step_y, inverse = values[:15].view(5, 3, -1).unbind(0)
    off_x, off_y = x - start_x, y - start_y
    side = step_x * off_y - step_y * off_x
    inside = (side * values[18]).amin(0) > 0
    along = ((step_x * off_x + step_y * off_y) * inverse).clamp_(0, 1)
    away_x, away_y = off_x.sub_(along * step_x), off_y.sub_(along * step_y)
    distance, edge = away_x.square_().add_(away_y.square_()).min(0)
    return distance, edge, inside


def _ranked(
    pixel: torch.Tensor,
    face: torch.Tensor,
    depth: torch.Tensor,
    edge: torch.Tensor,
    inside: torch.Tensor,
    faces_per_pixel: int,
) -> Hits:
    """Keep the nearest faces of every pixel; of equally deep ones the lowest index comes first."""
    # pairs come by face: a stable sort by depth, then by pixel, leaves ties in that order
    order = depth.argsort(stable=True)
    order = order[pixel[order].argsort(stable=True)]
    pixel = pixel[order]
    place = torch.arange(len(pixel), device=pixel.device)
    starts = torch.ones_like(pixel, dtype=torch.bool)
    starts[1:] = pixel[1:] != pixel[:-1]
    rank = place - torch.where(starts, place, torch.zeros_like(place)).cummax(0).values
    kept = (rank < faces_per_pixel).nonzero()[:, 0]
    order = order[kept]
    return Hits(pixel[kept], face[order], rank[kept], edge[order], inside[order])


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
