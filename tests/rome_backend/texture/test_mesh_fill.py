# SPDX-License-Identifier: Apache-2.0
"""Harmonic continuation on the mesh: bounds, reach and smoothness.

Does not test colours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rome_backend.core.types import HeadModel
from rome_backend.texture.mesh_fill import MeshFill


def test_known_values_stay_and_the_rest_lies_between(egg: HeadModel) -> None:
    y = egg.template[:, 1]
    known = ((y > 0.1) | (y < -0.1)).astype(float)
    values = np.where(y > 0, 10.0, 2.0)[:, None]
    filled = MeshFill(egg).fill(values, 50 * known, np.array([5.0]), reach=1.0)[:, 0]
    assert np.abs(filled - values[:, 0])[known > 0].max() < 0.25
    assert np.all((filled >= 2) & (filled <= 10))
    assert 5 < filled[np.abs(y) < 0.01].mean() < 7


def test_far_from_anything_known_values_return_to_rest(egg: HeadModel) -> None:
    z = egg.template[:, 2]
    known = (z > 0.09).astype(float)
    values = np.full((len(z), 3), 100.0)
    rest = np.array([1.0, 2.0, 3.0])
    near = MeshFill(egg).fill(values, known, rest, reach=0.01)
    far = MeshFill(egg).fill(values, known, rest, reach=10.0)
    back = z < -0.09
    assert np.abs(near[back] - rest).max() < 0.1
    assert far[back].min() > 90


def test_nothing_known_and_unused_vertices_give_rest(egg: HeadModel) -> None:
    extra = replace(egg, template=np.r_[egg.template, [[5, 5, 5]]].astype(np.float32))
    count = len(extra.template)
    values = np.full((count, 2), np.nan)
    filled = MeshFill(extra).fill(values, np.zeros(count), np.array([7.0, 8.0]), 0.05)
    assert np.allclose(filled, [7, 8])
