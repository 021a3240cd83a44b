# SPDX-License-Identifier: Apache-2.0
"""Tells colours that no hair has, but scarves and hats.

Does not know photos, meshes or where hair lies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_CHROMA = 16.0  # greyer colours may be anybody's hair
_LEAST_LIGHT = 25.0  # dark hair shimmers in any colour: in that of a room with blue walls
_HUES = (10.0, 110.0)  # degrees from red over brown to straw: natural hair
_RED, _RED_CHROMA = 40.0, 42.0  # hue up to which, and chroma from which red is dyed or woven
COVER_SHARE = 0.1  # of a head's hair in such colours that makes it a scarf or a hat


def worn_share(lab: NDArray[np.floating]) -> float:
    """Return the share of colours (N, 3), CIE Lab, that no natural hair has; 0 of none.

    Hair that is dyed blue, green, pink or bright red is taken for cloth, and brown, grey or black
    cloth for hair. Source: our own.
    """
    if not len(lab):
        return 0.0
    light, a, b = np.asarray(lab, np.float64).T
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    odd = (chroma > _LEAST_CHROMA) & ((hue < _HUES[0]) | (hue > _HUES[1]))
    odd |= (chroma > _RED_CHROMA) & (hue < _RED)
    return float((odd & (light > _LEAST_LIGHT)).mean())
