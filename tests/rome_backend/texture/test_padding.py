# SPDX-License-Identifier: Apache-2.0
"""Tests of laying texels out: covered ones stay, others take after their nearest neighbour."""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.types import HeadModel
from rome_backend.texture.atlas import atlas_of
from rome_backend.texture.padding import padded


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_every_texel_has_the_value_of_a_near_covered_one(egg: HeadModel, kind: type) -> None:
    atlas = atlas_of(egg, 96)
    row, column = np.divmod(atlas.texel, atlas.size)
    image = padded(atlas, np.stack([row, column], 1).astype(kind))
    assert image.shape == (96, 96, 2) and image.dtype == kind
    there = np.stack(np.meshgrid(np.arange(96), np.arange(96), indexing="ij"), -1)
    np.testing.assert_array_equal(image[atlas.covered], there[atlas.covered])
    away = np.linalg.norm(image[~atlas.covered] - there[~atlas.covered].astype(float), axis=1)
    covered = np.stack(np.divmod(atlas.texel, atlas.size), 1)
    for (y, x), found in list(zip(there[~atlas.covered], away, strict=True))[::97]:
        nearest = np.linalg.norm(covered - [y, x], axis=1).min()
        assert found <= 1.1 * nearest + 0.5
