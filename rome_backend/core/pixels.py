# SPDX-License-Identifier: Apache-2.0
"""Pixels, normalised device coordinates, UV and colour: each converted here and nowhere else.

Does not know cameras or meshes, and no torch: the array namespace is an argument.

px: x right, y down, (0, 0) the outer corner of the top-left pixel (its centre is 0.5, 0.5).
ndc: x right, y up, -1..1 over the picture. uv: u right, v up, 0..1 over the texture.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np


def _stack(x: Any, y: Any, xp: ModuleType) -> Any:
    return xp.stack([x, y], -1)


def ndc_to_px(ndc: Any, width: int, height: int, xp: ModuleType = np) -> Any:
    """Return px (..., 2) of ndc (..., 2 or more)."""
    return _stack((ndc[..., 0] + 1) * (width / 2), (1 - ndc[..., 1]) * (height / 2), xp)


def px_to_ndc(px: Any, width: int, height: int, xp: ModuleType = np) -> Any:
    """Return ndc (..., 2) of px (..., 2 or more)."""
    return _stack(px[..., 0] * (2 / width) - 1, 1 - px[..., 1] * (2 / height), xp)


def uv_to_px(uv: Any, width: int, height: int, xp: ModuleType = np) -> Any:
    """Return texture px (..., 2) of uv (..., 2)."""
    return _stack(uv[..., 0] * width, (1 - uv[..., 1]) * height, xp)


def px_to_uv(px: Any, width: int, height: int, xp: ModuleType = np) -> Any:
    """Return uv (..., 2) of texture px (..., 2)."""
    return _stack(px[..., 0] / width, 1 - px[..., 1] / height, xp)


def srgb_to_linear(srgb: Any, xp: ModuleType = np) -> Any:
    """Return linear light of sRGB values in 0..1 (IEC 61966-2-1); any shape, float."""
    low = srgb / 12.92
    base = xp.where(srgb < 0.04045, xp.ones_like(low), (srgb + 0.055) / 1.055)
    return xp.where(srgb <= 0.04045, low, base**2.4)


def linear_to_srgb(linear: Any, xp: ModuleType = np) -> Any:
    """Return sRGB values in 0..1 of linear light in 0..1 (IEC 61966-2-1); any shape, float."""
    low = linear * 12.92
    base = xp.where(linear < 0.0031308, xp.ones_like(low), linear)
    return xp.where(linear <= 0.0031308, low, 1.055 * base ** (1 / 2.4) - 0.055)
