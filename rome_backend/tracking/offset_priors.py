# SPDX-License-Identifier: Apache-2.0
"""What the silhouette fit believes about hair and necks before it sees a matte.

Does not know photos, mattes or cameras.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import diags

from rome_backend.core.types import F64, JOINTS, HeadModel, OffsetBasis
from rome_backend.open_head.laplacian import adjacency

# Hair low on the head (below the ears' tops) is short unless the outline shows it: standard
# deviation of its offsets (m), and how many outline points that belief is worth.
_LOW_SIGMA = 0.010
_LOW_POINTS = 16.0
# Clothes and shoulders are no neck: trust in its outline fades over this way below the chin (m),
# down to the least.
_NECK_FADE = 0.05
_NECK_TRUST = 0.01
# Rings of vertices over which trust in the neck's outline rises beside the face.
_BORDER_RINGS = 4
# Rings of vertices beside the border of hair and neck, and passes over them, that close it.
_SEAM_RINGS = 3
_SEAM_PASSES = 12


def outline_trust(head: HeadModel) -> F64:
    """Return how far the outline of each vertex (V,) is its own.

    1 for hair, less down the neck and beside the face, which cannot move along.
    """
    jaw = head.weights[:, JOINTS.index("jaw")] > 0.7
    chin = head.template[jaw if jaw.any() else head.regions["neck"], 1].min()
    below = np.clip((chin - head.template[:, 1].astype(np.float64)) / _NECK_FADE, 0.0, 1.0)
    fading = 1 - (1 - _NECK_TRUST) * below
    movable = head.regions["hair"] | head.regions["neck"]
    edges = adjacency(head.faces, len(movable))
    fixed, rings = ~movable, np.zeros(len(movable))
    for _ in range(_BORDER_RINGS):
        rings += ~fixed
        fixed = fixed | (edges @ fixed > 0)
    return np.where(head.regions["neck"], fading * (rings / _BORDER_RINGS) ** 2, 1.0)


def basis_prior(head: HeadModel, basis: OffsetBasis, short: float) -> tuple[F64, F64]:
    """Return the precision (60, 60) and right side (60,): unit variance, and low hair is short.

    short: how much the latter is believed, 0 .. 1.
    """
    height = head.template[:, 1].astype(np.float64)
    hair = np.flatnonzero(head.regions["hair"])
    ears = head.regions.get("ears", np.zeros(len(height), bool))
    # without ears nothing says what is low
    top = height[ears].max() if ears.any() else height.min()
    depth = np.clip((top - height[hair]) / max(top - height[hair].min(), 1e-6), 0.0, 1.0)
    share = np.sqrt(depth / max(depth.sum(), 1e-9) * _LOW_POINTS * short) / _LOW_SIGMA
    rows = (share[:, None, None] * basis.dirs[hair]).reshape(3 * len(hair), -1)
    target = (share[:, None] * basis.mean[hair]).ravel()
    return np.eye(rows.shape[1]) + rows.T @ rows, -rows.T @ target


def beside_jaw(head: HeadModel) -> F64:
    """Return points (N, 3) m beside the jaw, as far out as the ears: from their lobes to the chin.

    There long hair hangs and short hair shows the background. Empty for a head without ears.
    """
    template = head.template.astype(np.float64)
    ears = head.regions.get("ears")
    jaw = head.weights[:, JOINTS.index("jaw")] > 0.7
    if ears is None or not ears.any() or not jaw.any():
        return np.zeros((0, 3))
    lobe, depth = template[ears, 1].min(), template[ears, 2].mean()
    heights = np.linspace(lobe - 0.005, template[jaw, 1].min(), 8)
    width = np.abs(template[ears, 0]).max()
    grid = np.array([[x, y] for x in (-width, width) for y in heights])
    return np.column_stack([grid, np.full(len(grid), depth)])


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
