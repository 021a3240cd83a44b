# SPDX-License-Identifier: GPL-3.0-or-later
"""Of several steps the longest one counts, wherever it stands."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon.measure_stops import drawing_stops, timed


def steps(*seconds):
    for each in seconds[:-1]:
        time.sleep(each)
        yield
    time.sleep(seconds[-1])
    return "done"


@pytest.mark.parametrize("seconds", [(0.05, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 0.05)])
def test_the_longest_step_counts(seconds):
    found, longest = timed(steps(*seconds))
    assert found == "done" and 0.05 <= longest


def test_what_is_drawn_is_measured(built):
    found = drawing_stops(built)
    assert set(found) == {
        "first_reading", "next_reading", "surface_message", "painted_reading", "painted_render",
        "painted_render_again",
    }  # fmt: skip
    assert min(found.values()) > 0
