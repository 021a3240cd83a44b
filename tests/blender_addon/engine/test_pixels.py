# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes as Blender wants them: row order, premultiplied linear colour, its sign for nothing.

Does not know where frames come from.
"""

from __future__ import annotations

import numpy as np
import pytest

from rome_backend.core.pixels import srgb_to_linear

pytest.importorskip("mathutils", reason="the bpy wheel is not installed")


def frame(**passes):
    from blender_addon.core_access import FrameReady

    return FrameReady(1, **{name: np.float32(values) for name, values in passes.items()})


def arrays(**passes):
    from blender_addon.engine.pixels import pass_arrays

    return pass_arrays(frame(**passes), np.eye(3, dtype=np.float32))


def test_rows_are_turned_round_and_everything_is_flat_f32():
    found = arrays(mask=[[0.0, 0.25], [0.5, 1.0]], normal=np.arange(12).reshape(2, 2, 3))
    assert found["Mask"].tolist() == [0.5, 1.0, 0.0, 0.25]
    assert found["Normal"].tolist() == [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]
    assert all(each.dtype == np.float32 and each.ndim == 1 for each in found.values())
    assert set(found) == {"Mask", "Normal"}


def test_what_came_through_the_pipe_is_native():
    """Blender refuses arrays whose dtype names a byte order, even its own."""
    from blender_addon.core_access import FrameReady
    from blender_addon.engine.pixels import pass_arrays

    little = np.ones((2, 2), np.dtype("float32").newbyteorder("<"))
    assert memoryview(little).format == "<f"
    found = pass_arrays(FrameReady(1, mask=little, depth=little), np.eye(3))
    assert [memoryview(each).format for each in found.values()] == ["f", "f"]


def test_colour_is_linear_and_premultiplied():
    found = arrays(combined=[[[0.6, 0.2, 1.0, 0.5], [0.9, 0.9, 0.9, 0.0]]])["Combined"]
    wanted = [*(srgb_to_linear(np.array([0.6, 0.2, 1.0])) * 0.5), 0.5, 0, 0, 0, 0]
    assert found == pytest.approx(wanted, abs=1e-6)


def test_nothing_is_ten_thousand_million_metres_away():
    found = arrays(depth=[[np.inf, 1.5]], uv=[[[0.0, 0.0], [0.3, 0.6]]], mask=[[0.0, 0.1]])
    assert found["Depth"].tolist() == [1e10, 1.5]
    assert found["UV"] == pytest.approx([0, 0, 0, 0.3, 0.6, 1])


def test_a_uv_of_zero_counts_as_covered_where_the_mask_says_so():
    assert arrays(uv=[[[0.0, 0.0]]], mask=[[1.0]])["UV"].tolist() == [0, 0, 1]


def test_the_working_space_is_blenders(empty_blender):
    """Whatever it is in this Blender: the matrix does what Blender does to colours."""
    from mathutils import Color

    from blender_addon.engine.pixels import scene_linear_matrix

    matrix = scene_linear_matrix()
    for srgb in np.random.default_rng(0).random((20, 3)):
        wanted = Color(srgb.tolist()).from_srgb_to_scene_linear()[:]
        assert matrix @ srgb_to_linear(srgb) == pytest.approx(wanted, abs=1e-5)
