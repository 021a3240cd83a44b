# SPDX-License-Identifier: Apache-2.0
"""How far outlines of hair and neck are trusted, and how the two stay joined.

Does not know photos, mattes or cameras.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags

from rome_backend.core.types import F64, JOINTS, HeadModel
from rome_backend.open_head.laplacian import adjacency
from rome_backend.open_head.surface_distance import surface_distance

# Clothes and shoulders are no neck: trust in its outline fades over this way below the chin (m),
# down to the least.
_NECK_FADE = 0.08
_NECK_TRUST = 0.10
# Way beside the face (m) over which trust in the neck's outline rises.
_BORDER = 0.04
# Rings of vertices beside the border of hair and neck, and passes over them, that close it.
_SEAM_RINGS = 4
_SEAM_PASSES = 12


def outline_trust(head: HeadModel) -> F64:
    """Return how far the outline of each vertex (V,) is its own.

    1 for hair, less down the neck and beside the face, which cannot move along.
    """
    jaw = head.weights[:, JOINTS.index("jaw")] > 0.7
    template = head.template.astype(np.float64)
    chin = template[jaw if jaw.any() else head.regions["neck"], 1].min()
    below = np.clip((chin - template[:, 1]) / _NECK_FADE, 0.0, 1.0)
    fading = 1 - (1 - _NECK_TRUST) * below
    fixed = ~(head.regions["hair"] | head.regions["neck"])
    away = np.minimum(surface_distance(template, head.faces, fixed), _BORDER)
    return np.where(head.regions["neck"], fading * (away / _BORDER) ** 2, 1.0)


def seam_closed(head: HeadModel, offsets: F64, short: float) -> F64:
    """Return offsets (V, 3) m whose short hair passes smoothly into the neck.

    Hair and neck follow their own outlines and would part along their border; long hair hangs
    over the neck and keeps its hem. short: 1 for short hair, 0 for long.
    """
    hair, neck = head.regions["hair"], head.regions["neck"]
    edges = adjacency(head.faces, len(offsets))
    average = diags(1 / np.maximum(np.asarray(edges.sum(axis=1)).ravel(), 1.0)) @ edges
    border = ((edges @ neck > 0) & hair) | ((edges @ hair > 0) & neck)
    band = border.astype(np.float64)
    for _ in range(_SEAM_RINGS):
        band = np.maximum(band, average @ band) * (hair | neck)
    share = (band * short)[:, None]
    for _ in range(_SEAM_PASSES):
        offsets = offsets + share * (average @ offsets - offsets)
    return offsets
