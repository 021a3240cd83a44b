# SPDX-License-Identifier: Apache-2.0
"""The rasterizer protocol and its reference: an index buffer in plain torch.

Does not know cameras beyond a clip matrix, nor attributes, shading or files.

Method (our own): every face is cut into the pixel rows it crosses, every row span into pixels,
and a scattered minimum over the packed (depth, face index) keeps the nearest face. Which face a
pixel shows is found in float64 and carries no gradient; barycentrics and depth are then computed
from the face index with ordinary differentiable operations.
"""

from __future__ import annotations

from typing import Protocol

import torch

from rome_backend.render.fragments import Fragments

_NOTHING = torch.iinfo(torch.int64).max
_EDGE_TOLERANCE = 1e-9  # px: both faces of a shared edge own a pixel centre that lies on it
_MAX_ROWS = 1 << 18
_MAX_PIXELS = 1 << 20


class Rasterizer(Protocol):
    """Finds the nearest face of every pixel."""

    def rasterize(
        self, vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int
    ) -> Fragments:
        """Rasterize a mesh without blur, culling or perspective correction.

        Args:
            vertices: (N, V, 3) f32 image NDC: x right, y down, both -1..1 over the picture,
                smaller z is nearer; the centre of pixel (row i, column j) of an H x W picture is
                ((2 j + 1) / W - 1, (2 i + 1) / H - 1), as in PyTorch3D's fixtures.
            faces: (F, 3) integer vertex indices; either winding.
            height, width: px.

        Returns:
            Fragments. Of several faces the one with the least depth wins, of equally deep ones
            the one with the lowest index. A face with a non-finite corner or without area is
            left out; z itself is not clipped.
        """
        ...


def image_ndc(points: torch.Tensor, world_to_clip: torch.Tensor) -> torch.Tensor:
    """Project points (..., 3) with a clip matrix (4, 4) to image NDC (..., 3), y down.

    Points on or behind the camera plane (w <= 0) become NaN, so that a rasterizer drops their
    faces whole: faces that cross the camera plane are not clipped.
    """
    matrix = world_to_clip.to(points)
    clip = points @ matrix[:, :3].T + matrix[:, 3]
    w = clip[..., 3:4]
    w = torch.where(w > 0, w, torch.full_like(w, float("nan")))
    return clip[..., :3] / w * clip.new_tensor([1.0, -1.0, 1.0])


class TorchRasterizer:
    """The index buffer in plain torch, on any device. Implements Rasterizer.

    Args:
        area_epsilon: subtracted from twice the signed area (NDC) that barycentrics are divided
            by. 0 gives weights that sum to 1; PyTorch3D, and so the released networks, have 1e-8
            (up to 1e-3 relative on very small faces).
    """

    def __init__(self, area_epsilon: float = 0.0) -> None:
        self._area_epsilon = area_epsilon

    def rasterize(
        self, vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int
    ) -> Fragments:
        """See Rasterizer.rasterize. Raises ValueError on shapes or sizes that make no sense."""
        if vertices.ndim != 3 or vertices.shape[-1] != 3:
            raise ValueError(f"vertices must be (N, V, 3), not {tuple(vertices.shape)}")
        if faces.ndim != 2 or faces.shape[-1] != 3:
            raise ValueError(f"faces must be (F, 3), not {tuple(faces.shape)}")
        if height < 1 or width < 1:
            raise ValueError(f"the picture must have pixels, not {height} x {width}")
        faces = faces.long()
        with torch.no_grad():
            index = _nearest_faces(vertices.detach(), faces, height, width, self._area_epsilon)
        return fragments_of(vertices, faces, index, self._area_epsilon)


def fragments_of(
    vertices: torch.Tensor, faces: torch.Tensor, index: torch.Tensor, area_epsilon: float = 0.0
) -> Fragments:
    """Compute barycentrics and depth from the face index (N, H, W), differentiably.

    Whoever found the index: the gradients are those of this function.
    """
    count, height, width = index.shape
    flat = index.flatten().long()
    kept = (flat >= 0).nonzero()[:, 0]
    corner = flat.index_select(0, kept)
    if count > 1:
        corner = corner + (kept // (height * width)) * len(faces)
    table = vertices.index_select(1, faces.flatten()).reshape(-1, 9)
    corners = table.index_select(0, corner).view(-1, 3, 3)
    centre = pixel_centres(kept % (height * width), height, width).to(vertices)
    weights = barycentric(corners[..., :2], centre, area_epsilon)
    depth = (weights * corners[..., 2]).sum(-1)
    weights = vertices.new_zeros(len(flat), 3).index_copy(0, kept, weights)
    depth = vertices.new_full((len(flat),), torch.inf).index_copy(0, kept, depth)
    return Fragments(
        index.int(), weights.view(count, height, width, 3), depth.view(count, height, width)
    )


def pixel_centres(pixel: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return image NDC (P, 2) of the centres of pixels (P,) int, row by row."""
    column, row = pixel % width, pixel // width
    return torch.stack([(2 * column + 1) / width - 1, (2 * row + 1) / height - 1], dim=-1)


def _nearest_faces(
    vertices: torch.Tensor, faces: torch.Tensor, height: int, width: int, area_epsilon: float
) -> torch.Tensor:
    """Return (N, H, W) int64 face indices, -1 where there is none."""
    count, total = vertices.shape[0], len(faces)
    corners = vertices.index_select(1, faces.flatten()).double().view(-1, 3, 3)
    x, y, z = corners.permute(2, 1, 0).contiguous().unbind(0)  # (3, M) each
    x, y = (x + 1) * (width / 2) - 0.5, (y + 1) * (height / 2) - 0.5
    first, last = _pixel_range(y.amin(0), y.amax(0), height)
    left, right = _pixel_range(x.amin(0) - _EDGE_TOLERANCE, x.amax(0) + _EDGE_TOLERANCE, width)
    area = _twice_area(x, y)
    finite = torch.isfinite((x + y + z).sum(0))
    kept = (finite & (area != 0) & (last >= first) & (right >= left)).nonzero()[:, 0]
    planes = _planes(*(_at(each, kept) for each in (x, y, z)))
    ndc_area = area.index_select(0, kept) * 4 / (width * height)
    planes[9:] *= ndc_area / (ndc_area - area_epsilon)
    first, rows = first.index_select(0, kept), (last - first + 1).index_select(0, kept)
    base = torch.div(kept, max(total, 1), rounding_mode="floor")
    place = torch.stack([kept - base * total, first, base * height])
    buffer = torch.full((count * height * width,), _NOTHING, device=vertices.device)
    for start, end in _chunks(rows, _MAX_ROWS):
        part = slice(start, end)
        owner, offset = _expand(rows[part])
        face, row, picture = _at(place[:, part], owner).unbind(0)
        row = row + offset
        left, right, depth = _spans(planes[:, part], owner, row, width)
        _scatter(buffer, torch.stack([face, (picture + row) * width]), left, right, depth)
    index = torch.where(buffer == _NOTHING, -1, buffer & 0xFFFFFFFF)
    return index.view(count, height, width)


def _twice_area(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return twice the signed areas (M,) of triangles with corners x, y (3, M)."""
    return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])


def _pixel_range(
    low: torch.Tensor, high: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """First and last whole number in [low, high], cut to 0..size-1; empty where last < first."""
    first = torch.ceil(low - _EDGE_TOLERANCE).clamp(0, size)
    last = torch.floor(high + _EDGE_TOLERANCE).clamp(-1, size - 1)
    return first.nan_to_num(size).long(), last.nan_to_num(-1).long()


def _planes(x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Return what is the same in all rows of faces with corners x, y px, z (3, M each), (12, M).

    Rows 0-8: the edge functions a x + b y + c, >= 0 inside, of three edges: three of a, of b, of
    c; 9-11: depth as a x + b y + c.
    """
    next_x, next_y = x[[1, 2, 0]], y[[1, 2, 0]]
    area = _twice_area(x, y)
    edges = torch.cat([y - next_y, next_x - x, x * next_y - y * next_x]) * torch.sign(area)
    # Depth relative to the first corner keeps its precision on slivers.
    u_x, u_y, v_x, v_y = x[1] - x[0], y[1] - y[0], x[2] - x[0], y[2] - y[0]
    p, q = z[1] - z[0], z[2] - z[0]
    a = (p * v_y - q * u_y) / area
    b = (q * u_x - p * v_x) / area
    return torch.cat([edges, torch.stack([a, b, z[0] - a * x[0] - b * y[0]])])


def _chunks(counts: torch.Tensor, limit: int) -> list[tuple[int, int]]:
    """Cut consecutive items into ranges whose counts sum to at most limit (or single items)."""
    if not len(counts):
        return []
    sums = counts.cumsum(0)
    if int(sums[-1]) <= limit:
        return [(0, len(counts))]
    ranges, start, done = [], 0, 0
    while start < len(counts):
        end = int(torch.searchsorted(sums, done + limit, right=True))
        end = max(end, start + 1)
        ranges.append((start, end))
        start, done = end, int(sums[end - 1])
    return ranges


def _expand(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For counts (M,) return for every unit its owner's index and its number within the owner."""
    owner = torch.repeat_interleave(counts)
    before = counts.cumsum(0) - counts
    units = torch.arange(len(owner), device=counts.device)
    return owner, units - before.index_select(0, owner)


def _at(table: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Return the columns (R, P) of a table (R, M); far faster on a CPU than index_select."""
    return table.gather(1, chosen.expand(len(table), -1))


def _spans(
    planes: torch.Tensor, owner: torch.Tensor, row: torch.Tensor, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Per (face, row): first and last pixel inside; depth at column 0 and its step (2, R)."""
    y = row.double()
    plane = _at(planes, owner)
    a, slope = plane[:3], plane[9]
    rest = plane[3:6] * y + plane[6:9]
    crossing = -rest / a
    low = crossing.masked_fill(a <= 0, -torch.inf).amax(0)
    high = crossing.masked_fill(a >= 0, torch.inf).amin(0)
    if bool((planes[:3] == 0).any()):
        flat = (a == 0) & (rest < -_EDGE_TOLERANCE * plane[3:6].abs())
        high = high.masked_fill(flat[0] | flat[1] | flat[2], -torch.inf)
    left, right = _pixel_range(low, high, width)
    return left, right, torch.stack([plane[10] * y + plane[11], slope])


def _scatter(
    buffer: torch.Tensor,
    place: torch.Tensor,
    left: torch.Tensor,
    right: torch.Tensor,
    depth: torch.Tensor,
) -> None:
    """Write the spans' packed (depth, face) into the buffer where they are the least.

    place (2, R): the span's face, and where its row starts in the buffer; depth: of _spans.
    """
    widths = (right - left + 1).clamp(min=0)
    place = torch.cat([place, left[None]])
    for start, end in _chunks(widths, _MAX_PIXELS):
        part = slice(start, end)
        owner, offset = _expand(widths[part])
        face, target, first = _at(place[:, part], owner).unbind(0)
        z, slope = _at(depth[:, part], owner).unbind(0)
        column = first + offset
        key = (_sortable((z + slope * column).float()) << 32) | face
        buffer.scatter_reduce_(0, target + column, key, "amin")


def _sortable(z: torch.Tensor) -> torch.Tensor:
    """Map f32 to int64 in the same order (IEEE bits, negative numbers reversed)."""
    bits = (z + 0.0).view(torch.int32)  # + 0.0 makes -0 and +0 equal
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).long()


def _cross(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def barycentric(
    corners: torch.Tensor, points: torch.Tensor, area_epsilon: float = 0.0
) -> torch.Tensor:
    """Barycentric weights (M, 3) of 2D points (M, 2) in triangles (M, 3, 2)."""
    a, b, c = (corners - points[:, None]).unbind(1)
    opposite = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], dim=-1)
    area = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return opposite / (area - area_epsilon)[:, None]
