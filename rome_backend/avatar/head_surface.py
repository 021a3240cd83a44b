# SPDX-License-Identifier: Apache-2.0
"""What the networks need of a head besides its vertices: faces, UVs, which vertices may move.

Does not know networks, pictures or poses.

Source: rome-spec sections 2.6 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rome_backend.core.types import F32, HeadModel, Mask
from rome_backend.render.fragments import Fragments
from rome_backend.render.interpolate import interpolate_vertices
from rome_backend.render.rasterizer import Rasterizer
from rome_backend.render.texture import sample_texture, uv_image_ndc

_FACE_AND_EYES = (
    "face", "left_eye_region", "right_eye_region", "left_eyeball", "right_eyeball", "lips",
)  # fmt: skip
XYZ_SCALE = 5.0  # the released networks see metres times five


@dataclass(frozen=True)
class HeadSurface:
    """Constant arrays of a head on one device.

    faces (F, 3) i64; uvs (Vt, 2) f32, v up; uv_faces (F, 3) i64;
    vertex_uv (V, 2) f32: one uv per vertex, x and y -1..1 with y down;
    mask (V,) f32: how far a vertex may move along its normal, metres at most; 0 for the face.
    """

    faces: torch.Tensor
    uvs: torch.Tensor
    uv_faces: torch.Tensor
    vertex_uv: torch.Tensor
    mask: torch.Tensor

    def corner_uvs(self) -> torch.Tensor:
        """Return the uvs (F, 3, 2) of the faces' corners, v up."""
        return self.uvs[self.uv_faces]


def vertex_uvs(uvs: Any, uv_faces: Any, faces: Any, vertex_count: int) -> F32:
    """Return one uv per vertex (V, 2) f32, x and y -1..1 with y down.

    Of a vertex on a seam the larger coordinates win, each by itself: the released table was made
    so, and the networks were trained with it. A vertex without a face raises ValueError.
    """
    flat = np.asarray(uvs, np.float32)[np.asarray(uv_faces).reshape(-1)]
    grid = np.stack([2 * flat[:, 0] - 1, -(2 * flat[:, 1] - 1)], -1)
    found = np.full((vertex_count, 2), -np.inf, np.float32)
    np.maximum.at(found, np.asarray(faces).reshape(-1), grid)
    if not np.isfinite(found).all():
        raise ValueError("a vertex belongs to no face and so has no uv")
    return found


def offset_mask(head: HeadModel, mean_offsets: Any = None) -> F32:
    """Return which vertices may move, (V,) f32 of zeros and ones.

    mean_offsets (V, 3): the released mean_deform table, whose non-zero rows are the released set.
    None takes the head's regions ``hair`` and ``neck``; a head without them raises ValueError.
    """
    if mean_offsets is not None:
        table = np.asarray(mean_offsets)
        if table.shape != head.template.shape:
            raise ValueError(f"mean offsets {table.shape} do not fit this head")
        return (np.abs(table).max(-1) > 0).astype(np.float32)
    if not {"hair", "neck"} <= set(head.regions):
        raise ValueError(f"the head {head.name} has no regions hair and neck")
    return np.asarray(head.regions["hair"] | head.regions["neck"], np.float32)


def tightened(mask: Any, kept: Any, tightness: float) -> F32:
    """Return a mask (V,) in which kept vertices may move by ``tightness`` only.

    The released switch ``deform_face_tightness``: 0 leaves the mask as it is, its notebook sets
    1e-4. As there, kept vertices (V,) bool take the factor even where the mask was 1 (8 of the
    released set); unlike there, nothing is remembered from call to call.
    """
    chosen = np.asarray(mask, np.float32)
    if tightness < 0:
        raise ValueError("a tightness is not negative")
    if tightness == 0:
        return chosen.copy()
    return np.where(np.asarray(kept, bool), np.float32(tightness), chosen).astype(np.float32)


def kept_vertices(head: HeadModel, face_mask: Any = None) -> Mask:
    """Return the vertices (V,) of face and eyes, which the tightness holds.

    face_mask (T, T) in [0, 1]: DECA's uv_face_eye_mask, sampled at each vertex and held above a
    half; None takes the head's regions.
    """
    if face_mask is None:
        empty = np.zeros(len(head.template), bool)
        return np.logical_or.reduce([head.regions.get(name, empty) for name in _FACE_AND_EYES])
    own = torch.as_tensor(vertex_uvs(head.uvs, head.uv_faces, head.faces, len(head.template)))
    up = torch.stack([(own[:, 0] + 1) / 2, (1 - own[:, 1]) / 2], dim=-1)
    picture = torch.as_tensor(np.asarray(face_mask, np.float32))[None, None]
    return np.asarray(sample_texture(picture, up[None], "zeros")[0, :, 0].numpy() > 0.5)


def head_surface(
    head: HeadModel, mask: Any = None, device: torch.device | str = "cpu"
) -> HeadSurface:
    """Return a head's surface; mask (V,) as HeadSurface has it, by default offset_mask's."""
    chosen = offset_mask(head) if mask is None else np.asarray(mask, np.float32)
    if chosen.shape != (len(head.template),):
        raise ValueError(f"a mask {chosen.shape} does not fit this head")
    own = vertex_uvs(head.uvs, head.uv_faces, head.faces, len(head.template))
    return HeadSurface(
        torch.as_tensor(np.array(head.faces, np.int64), device=device),
        torch.as_tensor(np.array(head.uvs, np.float32), device=device),
        torch.as_tensor(np.array(head.uv_faces, np.int64), device=device),
        torch.as_tensor(own, device=device),
        torch.as_tensor(np.array(chosen), device=device),
    )


def uv_fragments(surface: HeadSurface, rasterizer: Rasterizer, side: int) -> Fragments:
    """Rasterize the UV layout once: which face each texel (1, side, side) belongs to."""
    layout = uv_image_ndc(surface.uvs)[None]
    return rasterizer.rasterize(layout, surface.uv_faces, side, side)


def xyz_texture(surface: HeadSurface, texels: Fragments, vertices: torch.Tensor) -> torch.Tensor:
    """Return 5 times the surface's position at every texel, (N, 3, T, T), 0 outside the layout.

    vertices (N, V, 3) m in the head's own frame; texels of uv_fragments.
    """
    count = len(vertices)
    if count > 1:
        texels = Fragments(
            texels.face_index.repeat(count, 1, 1),
            texels.barycentric.repeat(count, 1, 1, 1),
            texels.depth.repeat(count, 1, 1),
        )
    found = interpolate_vertices(texels, surface.faces, XYZ_SCALE * vertices)
    return found.permute(0, 3, 1, 2)
