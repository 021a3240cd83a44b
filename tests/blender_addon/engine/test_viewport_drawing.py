# SPDX-License-Identifier: GPL-3.0-or-later
"""What a viewport draws and says once it has been asked to, without its window."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")


def test_the_line_is_shown_by_the_engine(engine, viewport):
    from blender_addon.engine.viewport import draw

    said = []
    stand_in = SimpleNamespace(update_stats=lambda *words: said.append(words))
    draw(stand_in, viewport)
    viewport.preview.problem = "Broken."
    draw(stand_in, viewport)
    viewport.problem = "Its texture is gone."
    draw(stand_in, viewport)
    assert [text for _, text in said] == [
        "Waiting for the first frame", "Broken.", "Its texture is gone."
    ]  # fmt: skip
    assert {name for name, _ in said} == {"ROME"}


def test_nothing_is_said_above_a_picture(engine, viewport):
    from blender_addon.core_access import FrameReady
    from blender_addon.engine.viewport import draw

    said = []
    viewport.preview.frame = FrameReady(1)
    draw(SimpleNamespace(update_stats=lambda *words: said.append(words)), viewport)
    assert said == [("", "")]


def test_a_frame_is_drawn_with_the_files_working_space(engine, viewport):
    from blender_addon.core_access import FrameReady
    from blender_addon.engine.pixels import scene_linear_matrix
    from blender_addon.engine.viewport import draw

    drawn = []
    viewport.picture = SimpleNamespace(draw=lambda *arguments: drawn.append(arguments))
    viewport.preview.frame, viewport.preview.number = FrameReady(1, np.ones((2, 2, 4), "f4")), 3
    draw(SimpleNamespace(update_stats=lambda *words: None), viewport)
    combined, number, matrix = drawn[0]
    assert combined.shape == (2, 2, 4) and number == 3
    assert np.array_equal(matrix, scene_linear_matrix())
