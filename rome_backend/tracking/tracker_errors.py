# SPDX-License-Identifier: Apache-2.0
"""How the face tracker errs: its bias by the head's turn, and the ways it errs together.

Does not know photos or fits. tools/compute_tracker_errors.py measured it on rendered heads.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from rome_backend.core.types import F64

FILE = Path(__file__).with_name("tracker_errors.npz")
_WIDEST = 60.0


@lru_cache(maxsize=1)
def _stored() -> tuple[F64, F64]:
    with np.load(FILE) as stored:
        bias = stored["bias_mm"].astype(np.float64) / 1000
        return bias, stored["modes_mm"].astype(np.float64) / 1000


def turn_features(yaw: float, pitch: float) -> F64:
    """Return the numbers (4,) that the bias is linear in; zero for a frontal head; degrees."""
    sine = np.sin(np.radians(np.clip(yaw, -_WIDEST, _WIDEST)))
    return np.array([sine, sine**2, sine**3, np.sin(np.radians(np.clip(pitch, -30, 30)))])


def tracker_bias(yaw: float, pitch: float) -> F64:
    """Return how far landmarks are reported from where they are: (468, 3) m, head space.

    yaw, pitch: of the head to the camera, degrees. Frontal heads have none: the mean face is what
    the tracker reports of them.
    """
    return np.tensordot(turn_features(yaw, pitch), _stored()[0], axes=1)


def error_modes() -> F64:
    """Return the modes (468, 3, M) m per standard deviation in which the tracker errs."""
    return _stored()[1]


def no_errors() -> F64:
    """Return the coefficients (M,) of a tracker that does not err."""
    return np.zeros(error_modes().shape[2])
