# SPDX-License-Identifier: Apache-2.0
"""Which surface point every texel of a head model shows, and where its mirror image lies.

Does not know photos or colours.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rome_backend.core.normals import face_crosses
from rome_backend.core.pixels import uv_to_px
from rome_backend.core.types import F32, I32, HeadModel, Mask
from rome_backend.render.rasterizer import TorchRasterizer
from rome_backend.render.texture import uv_image_ndc

_MIRROR_TOLERANCE = 1.5e-3  # m between a vertex and its mirror image's nearest vertex
_KEPT = 4
_cache: OrderedDict[tuple[str, int], Atlas] = OrderedDict()


@dataclass(frozen=True)
class Atlas:
    """The covered texels of a T x T texture, row by row (P of them).

    size: T; texel (P,) i32: flat index row * T + column; face (P,) i32;
    mix (P, V) sparse f32: barycentric weights, so that mix @ values (V, C) gives texel values;
    mirror (P, 2) f32: texture px (x, y) of the mirrored surface point;
    mirror_vertex (V,) i32: nearest vertex to each vertex's mirror image.
    """

    size: int
    texel: I32
    face: I32
    mix: sparse.csr_matrix
    mirror: F32
    mirror_vertex: I32

    @property
    def covered(self) -> Mask:
        """(T, T) bool: texels that show a surface."""
        mask = np.zeros(self.size**2, bool)
        mask[self.texel] = True
        return mask.reshape(self.size, self.size)

    def spread(self, values: NDArray[np.floating]) -> F32:
        """Interpolate vertex values (V,) or (V, C) to the texels (P,) or (P, C) f32."""
        return self.mix @ np.asarray(values, np.float32)

    def gather(self, values: F32, weights: F32) -> tuple[F32, F32]:
        """Average texel values (P, C) on the vertices; returns (V, C) and weight sums (V,)."""
        sums: F32 = self.mix.T @ (values * weights[:, None])
        total: F32 = self.mix.T @ weights
        mean = sums / np.maximum(total, 1e-6)[:, None]
        return mean.astype(np.float32, copy=False), total

    def image(self, values: F32) -> F32:
        """Lay texel values (P,) or (P, C) out as (T, T) or (T, T, C), 0 elsewhere."""
        out = np.zeros((self.size**2, *values.shape[1:]), np.float32)
        out[self.texel] = values
        return out.reshape(self.size, self.size, *values.shape[1:])

    def mirrored(self, values: F32, weights: F32) -> tuple[F32, F32]:
        """Return what the mirrored surface point shows: values (P, C) and weights (P,)."""
        premultiplied = self.image(np.c_[values * weights[:, None], weights])
        x, y = self.mirror[:, 0] - 0.5, self.mirror[:, 1] - 0.5
        found = sample_image(premultiplied, x, y)
        weight = np.clip(found[:, -1], 0, 1)
        colour = found[:, :-1] / np.maximum(weight, 1e-3)[:, None]
        return colour.astype(np.float32, copy=False), weight


def sample_image(image: F32, x: F32, y: F32, interpolation: int = cv2.INTER_LINEAR) -> F32:
    """Sample (H, W, C) at pixel-centre coordinates x, y (P,) -> (P, C), 0 outside."""
    width = 4096  # cv2.remap limits the sides of its maps
    count = len(x)
    pad = -count % width
    grid_x = np.pad(x.astype(np.float32), (0, pad)).reshape(-1, width)
    grid_y = np.pad(y.astype(np.float32), (0, pad)).reshape(-1, width)
    out = cv2.remap(image, grid_x, grid_y, interpolation, borderMode=cv2.BORDER_CONSTANT)
    return out.reshape(count + pad, -1)[:count]


def atlas_of(head: HeadModel, size: int) -> Atlas:
    """Return the atlas of a head model's UV layout at size T; the last few stay in memory."""
    key = (head.topology_id, size)
    if key not in _cache:
        _cache[key] = _build(head, size)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return _cache[key]


def _build(head: HeadModel, size: int) -> Atlas:
    layout = uv_image_ndc(torch.as_tensor(head.uvs))[torch.as_tensor(head.uv_faces).long()]
    layout[..., 2] = torch.as_tensor(_inwardness(head))[:, None]
    faces = torch.arange(layout.shape[0] * 3).view(-1, 3)
    fragments = TorchRasterizer().rasterize(layout.reshape(1, -1, 3), faces, size, size)
    index = fragments.face_index.numpy().reshape(-1)
    texel = np.flatnonzero(index >= 0).astype(np.int32)
    face = index[texel]
    weights = fragments.barycentric.numpy().reshape(-1, 3)[texel]
    weights = np.clip(weights, 0, 1).astype(np.float32)
    weights /= weights.sum(1, keepdims=True)
    rows = np.arange(len(texel) + 1, dtype=np.int32) * 3
    mix = sparse.csr_matrix(
        (weights.reshape(-1), head.faces[face].reshape(-1), rows),
        shape=(len(texel), len(head.template)),
    )
    vertex, mirror_uv, matched = _mirror_faces(head)
    mirror = np.einsum("pk,pkc->pc", weights, mirror_uv[face])
    mirror = uv_to_px(mirror, size, size).astype(np.float32)
    lost = ~matched[face]
    if lost.any():
        mirror[lost] = _nearest_mirror(mix @ head.template, texel, lost, size)
    return Atlas(size, texel, face, mix, mirror, vertex)


def _inwardness(head: HeadModel) -> F32:
    """Who gives way where UV faces overlap (F,): 0 outer faces, 1 inward ones, 2 the mouth's."""
    corners = head.template[head.faces].astype(np.float64)
    away = corners.mean(1) - head.template.mean(0)
    inward = (face_crosses(head.template, head.faces) * away).sum(1) < 0
    mouth = head.regions.get("mouth_inside", np.zeros(len(head.template), bool))
    return np.where(mouth[head.faces].all(1), 2, inward).astype(np.float32)


def _mirror_faces(head: HeadModel) -> tuple[I32, F32, Mask]:
    """Find each face's mirror image where the mesh has it.

    Returns the mirror vertex (V,), the UV of each corner's mirror image (F, 3, 2), and which
    faces have one (F,).
    """
    template = head.template.astype(np.float64)
    distance, vertex = cKDTree(template).query(template * [-1, 1, 1])
    good = distance < _MIRROR_TOLERANCE
    faces = head.faces.astype(np.int64)
    count = len(template)

    def keys(corners: NDArray[np.int64]) -> NDArray[np.int64]:
        low, middle, high = np.sort(corners, axis=1).T
        return (low * count + middle) * count + high

    own = keys(faces)
    order = np.argsort(own)
    wanted = keys(vertex[faces])
    place = order[np.searchsorted(own, wanted, sorter=order).clip(max=len(own) - 1)]
    matched = (own[place] == wanted) & good[faces].all(1)
    same = faces[place][:, None, :] == vertex[faces][:, :, None]
    corner = same.argmax(2)
    uv = head.uvs[np.take_along_axis(head.uv_faces[place], corner, axis=1)]
    return vertex.astype(np.int32), uv.astype(np.float32), matched


def _nearest_mirror(points: F32, texel: I32, lost: Mask, size: int) -> F32:
    """Texture px of the texel nearest to the mirror image, for texels without a mirror face."""
    stride = max(1, size // 512)
    column, row = texel % size, texel // size
    sparse_grid = (column % stride == 0) & (row % stride == 0)
    tree = cKDTree(points[sparse_grid])
    _, nearest = tree.query(points[lost] * [-1, 1, 1], workers=2)
    found = texel[sparse_grid][nearest]
    return np.stack([found % size + 0.5, found // size + 0.5], -1).astype(np.float32)
