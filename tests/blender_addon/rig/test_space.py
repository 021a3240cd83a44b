# SPDX-License-Identifier: GPL-3.0-or-later
"""Head space and Blender's object space are one rigid turn and shift apart.

Does not know Blender.
"""

from __future__ import annotations

import numpy as np

from blender_addon.rig.space import (
    TURN,
    directions_to_object,
    origin_of,
    to_head,
    to_object,
)


def test_up_is_z_and_the_face_looks_along_minus_y():
    assert np.array_equal(directions_to_object((0, 1, 0)), (0, 0, 1))
    assert np.array_equal(directions_to_object((0, 0, 1)), (0, -1, 0))
    assert np.array_equal(directions_to_object((1, 0, 0)), (1, 0, 0))
    assert np.linalg.det(TURN) == 1.0  # no mirror image


def test_the_origin_lands_on_zero_and_the_way_back_is_exact():
    rng = np.random.default_rng(0)
    points, origin = rng.normal(size=(7, 3)), np.array([0.01, -0.2, 0.05])
    assert np.allclose(to_object(origin, origin), 0.0)
    assert np.allclose(to_head(to_object(points, origin), origin), points, atol=1e-15)


def test_a_rig_without_an_origin_stays_where_it_is():
    assert np.array_equal(origin_of({}), np.zeros(3))
    assert np.array_equal(origin_of({"origin": [1, 2, 3]}), (1.0, 2.0, 3.0))
