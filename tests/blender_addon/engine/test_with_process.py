# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with the real backend process: the same picture, restarts, its end in mid-frame.

Does not test the picture itself.
"""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest


def test_the_process_draws_and_is_told_all_again_after_it_was_killed(process, card, render_png):
    card((10, 200, 30))
    first = render_png()
    assert first[32, 32].tolist() == [10, 200, 30, 255]
    os.kill(process.client.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5.0
    while process.client.pid is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert np.array_equal(render_png(), first)
    kinds = [type(message).__name__ for message in process.sent]
    assert kinds.count("SetSurface") == 2


def test_a_process_that_ends_in_the_middle_stops_the_animation(
    process, engine, card, tmp_path, monkeypatch
):
    card()
    request = process.client.request

    def kill_after(message):
        sent = request(message)
        if type(message).__name__ == "RenderFrame":
            deadline = time.monotonic() + 5.0
            while sent.carrier is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.client._process.kill()
        return sent

    engine.ops.render.render()
    monkeypatch.setattr(process.client, "request", kill_after)
    stage = engine.context.scene
    stage.render.resolution_x = stage.render.resolution_y = 1024
    stage.render.filepath = str(tmp_path / "frame_")
    with pytest.raises(RuntimeError, match="ROME: The backend ended"):
        engine.ops.render.render(animation=True)
    assert not list(tmp_path.iterdir())
