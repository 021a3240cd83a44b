# SPDX-License-Identifier: Apache-2.0
"""Estimates of a head's normal map and roughness map from its finished texture.

Does not know photos. Our own: what is darker than its surroundings within a few millimetres is
taken for a hollow. That holds for pores, wrinkles, lips and strands of hair, and is wrong for
freckles and make-up: an estimate, never a measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rome_backend.core.types import F32, F64, U8, HeadModel
from rome_backend.texture.atlas import Atlas, atlas_of
from rome_backend.texture.materials import materials_of
from rome_backend.texture.padding import padded
from rome_backend.texture.tangents import texel_metric

ESTIMATES = ("normal", "roughness")  # by these names provenance tells what is no measurement

_SIDE = 1024  # texels at most at which everything smooth is worked out
_SMOOTH = 0.0025  # m: what varies more slowly is light or colour
_DARK = 16.0  # of 255, added to brightness: the noise of dark hair is no relief
_MOST = 0.3  # of the logarithm
_STEEPEST = 0.5  # slope
_BAND, _MARGIN = 256, 4  # rows at a time, and rows more so that bands do not show
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_ROUGHEST, _SMOOTHEST = 1.0, 0.05


@dataclass(frozen=True)
class SurfaceMaps:
    """normal (T, T, 3) u8: tangent space, OpenGL's (green towards growing v, up in the picture), a
    component c stored as 127.5 (c + 1); roughness (T, T) u8: 255 = 1, perceptual as in Blender's
    Principled BSDF and glTF."""

    normal: U8
    roughness: U8


def surface_maps(
    head: HeadModel,
    vertices: NDArray[np.floating],
    albedo: U8,
    check: Callable[[], None] = lambda: None,
) -> SurfaceMaps:
    """Estimate both maps of a finished texture, at its own size.

    Args:
        head: the head model whose UV layout the texture has.
        vertices: (V, 3) m, the mesh with its hair: how large a texel is.
        albedo: (T, T, 3) u8 sRGB, padded beyond the UV islands.
        check: called between bands; what it raises ends the work.
    """
    size = albedo.shape[0]
    factor = _factor(size)
    atlas = atlas_of(head, size // factor)
    check()
    fields, sigma = _fields(head, atlas, vertices, albedo)
    check()
    low = _low(albedo, atlas, sigma)
    normal, roughness = np.empty((size, size, 3), np.uint8), np.empty((size, size), np.uint8)
    for start in range(0, atlas.size, _BAND):
        check()
        first, last = max(0, start - _MARGIN), min(atlas.size, start + _BAND + _MARGIN)
        stop = min(start + _BAND, atlas.size)
        rows = slice(first * factor, last * factor)
        band = _band(albedo[rows], low[first:last], fields[first:last])
        inner = slice((start - first) * factor, (stop - first) * factor)
        outer = slice(start * factor, stop * factor)
        normal[outer], roughness[outer] = band[0][inner], band[1][inner]
    return SurfaceMaps(normal, roughness)


def _factor(size: int) -> int:
    """How many times smaller the smooth parts are worked out."""
    factor = 1
    while size // factor > _SIDE and size % (2 * factor) == 0:
        factor *= 2
    return factor


def _fields(
    head: HeadModel, atlas: Atlas, vertices: NDArray[np.floating], albedo: U8
) -> tuple[F32, float]:
    """Return what turns a step of brightness into a slope, and the roughness: (S, S, 5) f32.

    In order: slope along the tangent per step of 1 in u; the same across it per step in v; what
    of the first belongs to the second where u and v are not at right angles; roughness; polish.
    Beside them the size of ``_SMOOTH`` on the face, texels.
    """
    metric = texel_metric(head, vertices)
    made_of = materials_of(head, atlas, albedo)
    surface = np.stack([made_of.relief, made_of.roughness, made_of.polish], 1)
    at_uv = np.zeros((len(head.uvs), 3))
    at_uv[head.uv_faces.ravel()] = surface[head.faces.ravel()]
    relief, roughness, polish = at_uv.T
    values: F64 = np.stack(
        [
            relief / metric.along,
            relief / metric.across,
            metric.slant / metric.across,
            roughness,
            polish,
        ],
        1,
    )
    corners = atlas.mix.data.reshape(-1, 3)
    chosen = head.uv_faces[atlas.face]
    texels = sum(corners[:, k, None] * values[chosen[:, k]].astype(np.float32) for k in range(3))
    face = head.uv_faces[head.regions["face"][head.faces].all(1)].ravel()
    side = np.median(metric.along[face if len(face) else slice(None)])
    return padded(atlas, np.asarray(texels, np.float32)), _SMOOTH / side * atlas.size


def _low(albedo: U8, atlas: Atlas, sigma: float) -> F32:
    """The smooth part (S, S) of the brightness's logarithm, within the UV islands."""
    side = (atlas.size, atlas.size)
    small = cv2.resize(albedo, side, interpolation=cv2.INTER_AREA)
    known = atlas.covered.astype(np.float32)
    stack = np.dstack([_logarithm(small) * known, known])
    smooth = cv2.GaussianBlur(stack, (0, 0), max(sigma, 0.5))
    low = smooth[..., 0] / np.maximum(smooth[..., 1], 1e-6)
    return padded(atlas, low.reshape(-1, 1)[atlas.texel])[..., 0]


def _logarithm(rgb: U8) -> F32:
    return np.log(rgb.astype(np.float32) @ _GREY + np.float32(_DARK))


def _band(albedo: U8, low: F32, fields: F32) -> tuple[U8, U8]:
    """Rows of both maps from rows of the texture and of what is worked out smaller."""
    height, width = albedo.shape[:2]
    if low.shape != (height, width):
        low = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR)
        fields = cv2.resize(fields, (width, height), interpolation=cv2.INTER_LINEAR)
    detail = _MOST * np.tanh((_logarithm(albedo) - low) / _MOST)
    # Sobel's kernel over 8 is a derivative per texel; rows run down, v runs up.
    by_u = cv2.Sobel(detail, cv2.CV_32F, 1, 0, scale=width / 8)
    by_v = cv2.Sobel(detail, cv2.CV_32F, 0, 1, scale=-width / 8)
    along = fields[..., 0] * by_u
    across = fields[..., 1] * by_v - fields[..., 2] * along
    steep = np.hypot(along, across)
    tamed = _STEEPEST * np.tanh(steep / _STEEPEST) / np.maximum(steep, 1e-9)
    vector = np.dstack([-along * tamed, -across * tamed, np.ones_like(along)])
    vector /= np.linalg.norm(vector, axis=2, keepdims=True)
    roughness = np.clip(fields[..., 3] - fields[..., 4] * detail, _SMOOTHEST, _ROUGHEST)
    return (127.5 * (vector + 1) + 0.5).astype(np.uint8), (255 * roughness + 0.5).astype(np.uint8)
