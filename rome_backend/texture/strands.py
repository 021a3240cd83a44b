# SPDX-License-Identifier: Apache-2.0
"""Hair detail for surfaces no photo shows: noise drawn out along the strands.

Does not know the photo; it is told how strong the detail is. Our own.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.types import F32, F64

_AROUND, _DOWN = 2048, 384  # cells of the noise: azimuth (wraps round), way from the crown
_LENGTH = 0.42  # m, the longest way from the crown
_CROWN_TILT = 0.35  # rad: the whorl lies behind the top of the head
# Sizes in cells (across, along) of fine and coarse detail, and of the strands' waves.
_FINE, _COARSE, _WAVES = (1.8, 10.0), (5.0, 22.0), (90.0, 30.0)
_WAVE_HEIGHT = 12.0  # cells


def strand_detail(points: F32, centre: F64, seed: int) -> tuple[F32, F32]:
    """Relative brightness of hair at surface points.

    Args:
        points: (P, 3) m, head space; centre (3,) m: middle of the scalp.
        seed: of the noise; the same seed gives the same hair.

    Returns:
        fine and coarse detail, (P,) f32 each, mean 0 and standard deviation about 1: strands run
        from the crown downwards and fade where they meet.
    """
    rng = np.random.default_rng(seed)
    along, around = _strand_coordinates(points, centre)
    x = (around / (2 * np.pi) + 0.5) * _AROUND
    y = np.clip(along / _LENGTH, 0, 1) * (_DOWN - 1)
    x = x + _WAVE_HEIGHT * _sample(_noise(rng, *_WAVES), x, y)
    crowded = np.clip(along / 0.05, 0, 1)
    fine, coarse = (_sample(_noise(rng, *size), x, y) for size in (_FINE, _COARSE))
    return crowded * fine, crowded * coarse


def _strand_coordinates(points: F32, centre: F64) -> tuple[F32, F32]:
    """Way from the crown (P,) m and azimuth (P,) rad about the crown's axis."""
    sine, cosine = np.sin(_CROWN_TILT), np.cos(_CROWN_TILT)
    axes = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]], np.float32)
    side, up, front = ((points - centre.astype(np.float32)) @ axes.T).T
    level = np.hypot(side, front)
    radius = np.hypot(level, up)
    along = radius * np.arctan2(level, up)
    below = np.clip(-up, 0, None)  # under the middle the strands hang straight down
    return along + 0.4 * below, np.arctan2(side, front)


def _noise(rng: np.random.Generator, across: float, along: float) -> F32:
    """Unit-variance noise (_DOWN, _AROUND), smooth over that many cells, wrapping round."""
    step_x, step_y = (2 ** max(0, int(np.log2(size / 4))) for size in (2 * across, along))
    columns, rows = _AROUND // step_x, _DOWN // step_y
    noise = rng.standard_normal((rows, columns), np.float32)
    pad = min(columns, int(4 * across / step_x) + 4)
    noise = np.concatenate([noise[:, -pad:], noise, noise[:, :pad]], axis=1)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=across / step_x, sigmaY=along / step_y)
    wide = pad * _AROUND // columns
    noise = cv2.resize(noise, (_AROUND + 2 * wide, _DOWN), interpolation=cv2.INTER_CUBIC)
    noise = noise[:, wide : wide + _AROUND]
    return noise / max(float(noise.std()), 1e-6)


def _sample(noise: F32, x: F32, y: F32) -> F32:
    width = 4096
    pad = -len(x) % width
    grid_x = np.pad(np.mod(x, _AROUND).astype(np.float32), (0, pad)).reshape(-1, width)
    grid_y = np.pad(y.astype(np.float32), (0, pad)).reshape(-1, width)
    wrapped = np.concatenate([noise, noise[:, :1]], axis=1)
    return cv2.remap(wrapped, grid_x, grid_y, cv2.INTER_LINEAR).reshape(-1)[: len(x)]
