# SPDX-License-Identifier: Apache-2.0
"""The expression of the photo in shape keys alone: jaw and gaze as the keys that do the same.

Does not know bones: a fit turns jaw and eyes, an artist who wants the photo's face has sliders.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.open_head.jaw_motion import JAW_OPEN_DEGREES
from rome_backend.open_head.lid_motion import EYE_LOOK_DEGREES

_LEAST = 1e-3


def photo_keys(head: HeadModel, params: FlameParams) -> dict[str, float]:
    """Return key name -> value of the fitted expression; keys at zero are left out.

    The jaw's opening is added to jawOpen and each eye's turn becomes eyeLook*, whose strengths
    are the open head's. A head model without these keys, as FLAME, has its expression alone.
    """
    values = dict(zip(head.expression_names, np.asarray(params.expression, float), strict=True))
    moved: dict[str, Any] = {"jawOpen": np.degrees(params.jaw[0]) / JAW_OPEN_DEGREES}
    for side, outwards, turn in zip(("Left", "Right"), (1.0, -1.0), params.eyes, strict=True):
        down, out = np.degrees([turn[0], outwards * turn[1]]) / EYE_LOOK_DEGREES
        moved |= {f"eyeLookDown{side}": down, f"eyeLookUp{side}": -down}
        moved |= {f"eyeLookOut{side}": out, f"eyeLookIn{side}": -out}
    for name, value in moved.items():
        if name in values:
            values[name] += max(float(value), 0.0)
    return {name: float(value) for name, value in values.items() if abs(value) > _LEAST}
