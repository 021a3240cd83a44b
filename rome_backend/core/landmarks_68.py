# SPDX-License-Identifier: Apache-2.0
"""Which of MediaPipe's 478 landmarks stand for the 68 of iBUG.

Does not know pictures, trackers or meshes.

The jaw line has no counterpart of its own in iBUG's sense; those points are MediaPipe's face oval
at the same heights. Inside the face they are the same features (our own table; tests hold it
against both embeddings of one mesh).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .types import F64

CONTOUR, FIXED = slice(0, 17), slice(17, 68)
_JAW = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_OUTER_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
_INNER_LIPS = (78, 82, 13, 312, 308, 317, 14, 87)
MEDIAPIPE_68 = (*_JAW, *_BROWS, *_NOSE, *_EYES, *_OUTER_LIPS, *_INNER_LIPS)


def landmarks_68_of(landmarks: Any) -> F64:
    """Return iBUG's 68 landmarks (..., 68, D) of MediaPipe's (..., 478, D), in the same units."""
    return np.asarray(landmarks, np.float64)[..., MEDIAPIPE_68, :]
