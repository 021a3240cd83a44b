# SPDX-License-Identifier: Apache-2.0
"""Random fields: smooth on points of space, smooth on pictures.

Does not know what they vary.
"""

from __future__ import annotations

import cv2
import numpy as np

from rome_backend.core.types import F32

_WAVES = 24


def smooth_field(random: np.random.Generator, points: F32, wavelength: float) -> F32:
    """Return values (P,) of mean about 0 and spread 1 that vary over a wavelength (m) in space.

    points (P, 3) m. A sum of waves in random directions, of lengths up to twice as long.
    """
    direction = random.normal(size=(_WAVES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = wavelength * random.uniform(1.0, 2.0, (_WAVES, 1))
    phase = random.uniform(0, 2 * np.pi, _WAVES).astype(np.float32)
    waves = (2 * np.pi * direction / length).astype(np.float32)
    angle = np.asarray(points, np.float32) @ waves.T + phase
    return np.asarray(np.cos(angle).sum(1) * np.sqrt(2 / _WAVES), np.float32)


def smooth_picture(random: np.random.Generator, side: int, cells: int) -> F32:
    """Return a picture (side, side, 3) in [0, 1] of random dull colours at cells x cells places."""
    places = random.uniform(0, 1, (cells, cells, 1)) + random.normal(0, 0.1, (cells, cells, 3))
    places = places.astype(np.float32)
    return np.clip(cv2.resize(places, (side, side), interpolation=cv2.INTER_CUBIC), 0, 1)


def smooth_step(values: F32, low: float, high: float) -> F32:
    """Return 0 up to low, 1 from high, smooth in between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
