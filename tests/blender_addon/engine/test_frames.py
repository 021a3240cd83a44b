# SPDX-License-Identifier: GPL-3.0-or-later
"""The talk with the backend: surfaces once, again when it forgot, cancel, and its errors.

Does not need bpy's scenes or a real backend.
"""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")


class Backend:
    """Knows what it was sent until `forget`; `broken` answers everything with that error."""

    def __init__(self):
        self.known, self.sent, self.cancelled, self.broken = set(), [], [], None

    def request(self, message):
        from blender_addon.core_access import FrameReady, RomeError, SetSurface

        self.sent.append(message)
        future = Future()
        if self.broken is not None:
            future.set_exception(self.broken)
        elif isinstance(message, SetSurface):
            self.known.add(message.surface_id)
            future.set_result(message)
        elif set(message.surface_ids) <= self.known:
            future.set_result(FrameReady(1))
        else:
            future.set_exception(RomeError("surface_unknown", "What?"))
        return SimpleNamespace(future=future)

    def cancel(self, request):
        self.cancelled.append(request)

    def kinds(self):
        kinds = [type(message).__name__ for message in self.sent]
        self.sent.clear()
        return kinds


@pytest.fixture
def backend():
    from blender_addon.engine import frames

    frames.forget_surfaces()
    yield Backend()
    frames.forget_surfaces()


def head(name):
    from blender_addon.engine.heads import FrameHead

    texture = SimpleNamespace(pixels=np.zeros((2, 2, 3), np.uint8), digest=b"")
    faces, uvs = np.zeros((1, 3), np.int32), np.zeros((1, 3, 2), np.float32)
    return FrameHead(name, np.zeros((1, 3), np.float32), np.eye(4), faces, uvs, texture)


def draw(backend, *names, is_cancelled=lambda: False):
    from blender_addon.core_access import Camera
    from blender_addon.engine.camera import FrameView
    from blender_addon.engine.frames import draw_frame

    view = FrameView(Camera(np.eye(4), 8, 6), np.eye(4))
    return draw_frame([head(name) for name in names], view, ("mask",), is_cancelled, backend)


def test_a_surface_travels_once(backend):
    draw(backend, "a", "b")
    assert backend.kinds() == ["SetSurface", "SetSurface", "RenderFrame"]
    draw(backend, "b", "a", "a")
    assert backend.kinds() == ["RenderFrame"]
    draw(backend, "c", "c")
    assert backend.kinds() == ["SetSurface", "RenderFrame"]


def test_a_backend_that_forgot_is_told_again(backend):
    draw(backend, "a")
    backend.known.clear()
    backend.kinds()
    draw(backend, "a")
    assert backend.kinds() == ["RenderFrame", "SetSurface", "RenderFrame"]


def test_a_backend_that_keeps_forgetting_is_an_error(backend):
    from blender_addon.core_access import RomeError

    backend.known = type("Never", (set,), {"add": lambda self, name: None})()
    with pytest.raises(RomeError) as failed:
        draw(backend, "a")
    assert failed.value.code == "surface_unknown"
    assert backend.kinds().count("RenderFrame") == 2


def test_the_backends_error_is_passed_on(backend):
    from blender_addon.core_access import RomeError

    backend.broken = RomeError("backend_died", "It ended.")
    with pytest.raises(RomeError) as failed:
        draw(backend, "a")
    assert failed.value is backend.broken
    backend.broken = None
    draw(backend, "a")  # the surface was not taken for known
    assert backend.kinds() == ["SetSurface", "SetSurface", "RenderFrame"]


def test_cancel_reaches_the_backend_and_ends_the_wait(backend, monkeypatch):
    from blender_addon.core_access import Cancelled

    waiting = SimpleNamespace(future=Future())
    monkeypatch.setattr(backend, "request", lambda message: waiting)
    pressed = iter([False, False, True])
    with pytest.raises(Cancelled):
        draw(backend, "a", is_cancelled=lambda: next(pressed))
    assert backend.cancelled == [waiting]


def test_the_request_says_what_is_seen(backend):
    draw(backend, "a", "b")
    frame = backend.sent[-1]
    assert (frame.width, frame.height, frame.surface_ids) == (8, 6, ("a", "b"))
    assert frame.passes == ("mask",) and not frame.viewport
