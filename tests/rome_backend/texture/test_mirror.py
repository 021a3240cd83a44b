# SPDX-License-Identifier: Apache-2.0
"""The mirrored half: equal colours on a symmetric head, and light carried over.

Does not test where it is used.
"""

from __future__ import annotations

import numpy as np

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.mesh_fill import MeshFill
from rome_backend.texture.mirror import light_gain, mirrored_half

SIZE = 192


def test_mirrored_colour_equals_the_symmetric_truth(egg: HeadModel, paint, psnr) -> None:
    atlas = atlas_of(egg, SIZE)
    truth = paint(SIZE, symmetric=True).reshape(-1, 3)[atlas.texel]
    x = atlas.spread(egg.template)[:, 0]
    weight = (x > -0.01).astype(np.float32)
    colour, known = mirrored_half(atlas, MeshFill(egg), truth * weight[:, None], weight)
    hidden = (x < -0.015) & (known > 0.9)
    assert hidden.sum() > 0.3 * len(x)
    assert psnr(colour[hidden], truth[hidden]) > 32


def test_the_mirrored_half_takes_the_light_of_its_side(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    x = atlas.spread(egg.template)[:, 0]
    truth = np.repeat(120 + 400 * x[:, None], 3, axis=1).astype(np.float32)  # lit from one side
    weight = (x > -0.03).astype(np.float32)
    colour, known = mirrored_half(atlas, MeshFill(egg), truth, weight)
    near = (x < -0.032) & (x > -0.05) & (known > 0.9)
    flat = 120 - 400 * x[near]
    assert (
        np.abs(colour[near, 0] - truth[near, 0]).mean()
        < 0.75 * np.abs(flat - truth[near, 0]).mean()
    )


def test_gain_is_one_without_overlap_and_bounded_with_it(egg: HeadModel) -> None:
    atlas = atlas_of(egg, SIZE)
    x = atlas.spread(egg.template)[:, 0]
    colour = np.full((len(x), 3), 60, np.float32)
    left, right = (x > 0.01).astype(np.float32), (x < -0.01).astype(np.float32)
    apart = light_gain(atlas, MeshFill(egg), (colour, left), (3 * colour, right))
    assert np.allclose(apart, 1, atol=0.02)
    everywhere = np.ones_like(left)
    bound = light_gain(atlas, MeshFill(egg), (colour, everywhere), (4 * colour, everywhere))
    assert np.allclose(bound, np.exp(-0.35), atol=0.08)
