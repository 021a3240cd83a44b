# SPDX-License-Identifier: Apache-2.0
"""More of a material on a surface, by laying pieces of an example over each other.

Does not know what the material is. Our own, after Heitz and Neyret 2018, "High-performance
by-example noise using a histogram-preserving blending operator": overlapping pieces are summed
with weights whose squares sum to one, which keeps the example's variance.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rome_backend.core.types import F32
from rome_backend.texture.atlas import sample_image
from rome_backend.texture.examples import Example

_PIECES = 5  # that a texel looks at
_BLOCK = 4  # texels on a side that share their pieces
_CHUNK = 1 << 18


def synthesised(
    example: Example,
    points: F32,
    along: F32,
    normals: F32,
    texels: NDArray[np.integer],
    size: int,
    shape: tuple[float, float],
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> F32:
    """Return relative detail (Q, 3), a logarithm with mean about 0, on surface points.

    Args:
        points: (Q, 3) m; along: (Q, 3) unit tangents that strands follow; normals (Q, 3).
        texels: (Q,) flat indices row * T + column of a texture of side ``size`` T, ascending.
        shape: half width across and along the strands of a piece, m.
        seed: same seed, same detail; check: called between chunks.
    """
    rng = np.random.default_rng(seed)
    pieces = _scattered(points, 0.9 * float(np.sqrt(shape[0] * shape[1])), rng)
    frame = _Frames(points[pieces], along[pieces], normals[pieces])
    centre = example.centres[rng.integers(0, len(example.centres), len(pieces))]
    turn = example.angle[centre[:, 1], centre[:, 0]]
    if not example.oriented:
        turn = rng.uniform(0, 2 * np.pi, len(pieces)).astype(np.float32)
    flip = rng.choice([-1.0, 1.0], len(pieces))
    tree = cKDTree(points[pieces])
    near = _shared_neighbours(tree, points, texels, size, min(_PIECES, len(pieces)))
    out = np.empty((len(points), 3), np.float32)
    for start in range(0, len(points), _CHUNK):
        check()
        part = slice(start, start + _CHUNK)
        across, down, weight = frame.local(points[part], normals[part], near[part], shape)
        chosen = near[part]
        cosine, sine = np.cos(turn[chosen]), np.sin(turn[chosen])
        lateral = across * flip[chosen]
        x = centre[chosen, 0] + (down * cosine - lateral * sine) / example.metres
        y = centre[chosen, 1] + (down * sine + lateral * cosine) / example.metres
        out[part] = _blend(example.detail, x, y, weight)
    return out


class _Frames:
    """Tangent frames at the pieces' middles."""

    def __init__(self, middle: F32, along: F32, normal: F32) -> None:
        self._middle, self._normal = middle, normal
        self._along = along
        self._across = np.cross(normal, along).astype(np.float32)

    def local(
        self, points: F32, normals: F32, near: NDArray[np.integer], shape: tuple[float, float]
    ) -> tuple[F32, F32, F32]:
        """Way across and along (Q, K) m from each neighbouring piece, and its weight."""
        away = points[:, None] - self._middle[near]
        across = np.einsum("qkc,qkc->qk", away, self._across[near])
        along = np.einsum("qkc,qkc->qk", away, self._along[near])
        same = np.einsum("qc,qkc->qk", normals, self._normal[near])
        distance = (across / shape[0]) ** 2 + (along / shape[1]) ** 2
        weight = np.exp(-1.2 * distance) * np.clip(same + 0.3, 0.02, 1)
        return across, along, weight.astype(np.float32)


def _scattered(points: F32, spacing: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of points about ``spacing`` m apart: one of each cube of a grid."""
    cells = np.floor(points / spacing).astype(np.int64) + 4096
    key = (cells[:, 0] * 8192 + cells[:, 1]) * 8192 + cells[:, 2]
    order = rng.permutation(len(points))
    _, first = np.unique(key[order], return_index=True)
    return order[first]


def _shared_neighbours(
    tree: cKDTree, points: F32, texels: NDArray[np.integer], size: int, count: int
) -> NDArray[np.int64]:
    """The ``count`` pieces nearest to each point (Q, count), found once per block of texels."""
    block = (texels // size // _BLOCK) * (size // _BLOCK + 1) + texels % size // _BLOCK
    _, first, group = np.unique(block, return_index=True, return_inverse=True)
    _, near = tree.query(points[first], k=count)
    return near.reshape(len(first), count)[group]


def _blend(detail: F32, x: F32, y: F32, weight: F32) -> F32:
    """Sum the pieces' samples (Q, K) so that their variance stays the example's."""
    height, width = detail.shape[:2]
    x, y = _folded(x, width), _folded(y, height)
    found = sample_image(detail, x.ravel(), y.ravel(), cv2.INTER_LINEAR)
    found = found.reshape(*x.shape, 4)
    weight = weight * found[..., 3]
    norm = np.sqrt((weight**2).sum(1)) + 1e-12
    return np.einsum("qk,qkc->qc", weight, found[..., :3]) / norm[:, None]


def _folded(at: F32, length: int) -> F32:
    """Mirror coordinates back into 0..length - 1."""
    period = 2 * max(length - 1, 1)
    at = np.mod(at, period)
    return np.minimum(at, period - at).astype(np.float32)
