# SPDX-License-Identifier: Apache-2.0
"""UV seams of a head model: how far a texture's colours differ across them, and closing that.

Does not know how a texture came about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import cg

from rome_backend.core.pixels import uv_to_px
from rome_backend.core.types import F32, F64, U8, HeadModel, Mask

_PER_TEXEL = 1.5  # samples along a seam
_STIFF, _SOFT = 2e-3, 2e-4  # how firmly covered and padding texels keep their colours
_ROUNDS = 120


@dataclass(frozen=True)
class Seams:
    """Points on UV seams of a T x T texture, looked up bilinearly on both sides.

    texels (M, 2, 4) i64: flat indices row * T + column of each side's four texels;
    shares (M, 2, 4) f64: their weights; size: T.
    """

    texels: NDArray[np.int64]
    shares: F64
    size: int

    def sides(self, flat: U8) -> F32:
        """What a flat texture (T * T, C) shows on both sides, (M, 2, C)."""
        return (self.shares[..., None] * flat[self.texels]).sum(2).astype(np.float32)


def seams_of(head: HeadModel, size: int) -> Seams:
    """Sample every edge whose two faces lie apart in the UV layout, 1.5 times per texel."""
    one, other = _cut_edges(head)
    first, second = (uv_to_px(uvs.astype(np.float64), size, size) for uvs in (one, other))
    length = np.maximum(_length(first), _length(second))
    count = np.maximum(np.ceil(_PER_TEXEL * length).astype(np.int64), 2)
    edge = np.repeat(np.arange(len(count)), count)
    start = np.cumsum(count) - count
    share = (np.arange(count.sum()) - start[edge] + 0.5) / count[edge]
    sides = []
    for ends in (first, second):
        sides.append(ends[edge, 0] * (1 - share[:, None]) + ends[edge, 1] * share[:, None])
    texels, shares = _bilinear(np.stack(sides, 1), size)
    return Seams(texels, shares, size)


def seam_steps(head: HeadModel, albedo: U8) -> F32:
    """Colour difference across the seams at every sample, (M,): the largest channel's, 0..255."""
    size = albedo.shape[0]
    sides = seams_of(head, size).sides(albedo.reshape(size * size, -1))
    if not len(sides):
        return np.zeros(1, np.float32)
    return np.abs(sides[:, 0] - sides[:, 1]).max(1)


def closed_seams(head: HeadModel, image: U8, covered: Mask) -> U8:
    """Return (T, T, C) u8 with the least change of the texels at seams that makes both sides agree.

    Least squares over the texels that seams touch (after Sylvan, "Fixing texture seams with
    linear least squares"); texels outside the UV islands give way before those inside.

    image: (T, T, C) u8, padded beyond the islands; covered: (T, T) bool, texels of the islands.
    """
    size = image.shape[0]
    seams = seams_of(head, size)
    if not len(seams.texels):
        return image
    touched, place = np.unique(seams.texels, return_inverse=True)
    place = place.reshape(seams.texels.shape)
    rows = np.repeat(np.arange(len(place)), 8)
    signed = (seams.shares * np.array([1.0, -1.0])[:, None]).reshape(-1)
    gap = sparse.csr_matrix((signed, (rows, place.reshape(-1))), (len(place), len(touched)))
    firm = np.where(covered.reshape(-1)[touched], _STIFF, _SOFT)
    system = (gap.T @ gap + sparse.diags(firm)).tocsr()
    scale = sparse.diags(1 / system.diagonal())
    flat = image.reshape(size * size, -1).copy()
    own = flat[touched].astype(np.float64)
    wanted = -(gap.T @ (gap @ own))
    for channel in range(own.shape[1]):
        change, _ = cg(system, wanted[:, channel], rtol=1e-4, maxiter=_ROUNDS, M=scale)
        own[:, channel] += change
    flat[touched] = np.clip(own + 0.5, 0, 255)
    return flat.reshape(image.shape)


def _length(ends: F64) -> F64:
    return np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)


def _cut_edges(head: HeadModel) -> tuple[F32, F32]:
    """UVs (S, 2 ends, 2) of the edges shared by two faces that have different UVs there."""
    vertices = np.concatenate([head.faces[:, [k, (k + 1) % 3]] for k in range(3)]).astype(np.int64)
    corners = np.concatenate([head.uv_faces[:, [k, (k + 1) % 3]] for k in range(3)])
    turned = vertices[:, 0] > vertices[:, 1]
    vertices[turned], corners[turned] = vertices[turned][:, ::-1], corners[turned][:, ::-1]
    key = vertices[:, 0] * len(head.template) + vertices[:, 1]
    order = np.argsort(key, kind="stable")
    key = key[order]
    pair = np.flatnonzero(key[1:] == key[:-1])
    one, other = head.uvs[corners[order[pair]]], head.uvs[corners[order[pair + 1]]]
    apart = np.abs(one - other).max(axis=(1, 2)) > 1e-6
    return one[apart], other[apart]


def _bilinear(points: F64, size: int) -> tuple[NDArray[np.int64], F64]:
    """Flat texel indices and weights (..., 4) of px points (..., 2), the border repeated."""
    at = np.clip(points - 0.5, 0, size - 1)
    low = np.minimum(np.floor(at).astype(np.int64), size - 2)
    x, y = np.moveaxis(at - low, -1, 0)
    corner = low[..., 1] * size + low[..., 0]
    texels = np.stack([corner, corner + 1, corner + size, corner + size + 1], -1)
    return texels, np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], -1)
