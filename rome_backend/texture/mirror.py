# SPDX-License-Identifier: Apache-2.0
"""The unseen half of a face from the seen one, its light carried over.

Does not know regions, hair or eyes.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import F32
from rome_backend.texture.atlas import Atlas
from rome_backend.texture.mesh_fill import MeshFill

_LARGEST_GAIN = 0.35  # of the logarithm
_REACH = 0.06  # m over which the difference in light is carried on


def mirrored_half(atlas: Atlas, fill: MeshFill, colour: F32, weight: F32) -> tuple[F32, F32]:
    """Return what the mirrored surface shows, (P, 3), with its weight (P,).

    Its low frequencies are brought to the own side's: the logarithm of their ratio is known where
    the photo shows both sides and continued smoothly over the mesh.
    """
    other, other_weight = atlas.mirrored(colour, weight)
    gain = light_gain(atlas, fill, (colour, weight), (other, other_weight))
    return np.clip(other * gain, 0, 255), other_weight


def light_gain(
    atlas: Atlas,
    fill: MeshFill,
    wanted: tuple[F32, F32],
    given: tuple[F32, F32],
) -> F32:
    """Return factors (P, 3) that bring the low frequencies of ``given`` to those of ``wanted``.

    Each is a colour (P, 3) and its weight (P,).
    """
    target, target_weight = atlas.gather(*wanted)
    source, source_weight = atlas.gather(*given)
    known = np.minimum(target_weight, source_weight)
    positive = target_weight[target_weight > 1e-3]
    typical = float(np.quantile(positive, 0.5)) if len(positive) else 1.0
    known = np.clip(known / typical, 0, 1)
    ratio = np.log((np.maximum(target, 0) + 12) / (np.maximum(source, 0) + 12)).clip(
        -_LARGEST_GAIN, _LARGEST_GAIN
    )
    smooth = fill.fill(ratio, 0.05 * known, np.zeros(3), _REACH)
    return np.exp(atlas.spread(smooth))
