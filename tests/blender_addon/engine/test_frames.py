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
        from blender_addon.core_access import FrameReady, KeepAvatar, RomeError, SetSurface

        self.sent.append(message)
        future = Future()
        if self.broken is not None:
            future.set_exception(self.broken)
        elif isinstance(message, SetSurface | KeepAvatar):
            self.known.add(getattr(message, "surface_id", None) or message.avatar_id)
            future.set_result(message)
        elif not set(message.surface_ids) <= self.known:
            future.set_exception(RomeError("surface_unknown", "What?"))
        elif not set(filter(None, message.avatar_ids)) <= self.known:
            future.set_exception(RomeError("avatar_unknown", "Who?"))
        else:
            future.set_result(FrameReady(1))
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

    frames.forget_sent()
    yield Backend()
    frames.forget_sent()


def head(name, avatar_id=""):
    from blender_addon.engine.heads import FrameHead

    texture = SimpleNamespace(pixels=np.zeros((2, 2, 3), np.uint8), png=None, digest=b"")
    faces, uvs = np.zeros((1, 3), np.int32), np.zeros((1, 3, 2), np.float32)
    points = np.zeros((1, 3), np.float32)
    return FrameHead(name, points, np.eye(4), faces, uvs, texture, avatar_id)


def draw(backend, *names, is_cancelled=lambda: False, look=None, avatars=()):
    from blender_addon.core_access import Camera
    from blender_addon.engine.camera import FrameView
    from blender_addon.engine.frames import draw_frame

    view = FrameView(Camera(np.eye(4), 8, 6), np.eye(4))
    heads = [head(name, *avatars[place : place + 1]) for place, name in enumerate(names)]
    return draw_frame(heads, view, ("mask",), is_cancelled, look, backend)


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


@pytest.fixture
def carried(empty_blender):
    """A file with a mesh that carries the avatar "ada"."""
    data = empty_blender.data.meshes.new("Ada")
    data["rome_avatar_id"], data["rome_avatar"] = "ada", "QUJD"
    return data


def neural(renderer="auto", side=512):
    from blender_addon.engine.renderer import Look

    return Look(renderer, side)


def test_an_avatar_travels_once_and_only_to_who_may_draw_it(backend, carried):
    draw(backend, "a", "b", avatars=("ada", ""))
    assert backend.kinds() == ["SetSurface", "SetSurface", "RenderFrame"]
    for expected in (["KeepAvatar", "RenderFrame"], ["RenderFrame"]):
        draw(backend, "a", "b", avatars=("ada", ""), look=neural())
        assert [each.avatar_ids for each in backend.sent[-1:]] == [("ada", "")]
        assert backend.kinds() == expected


def test_the_request_says_what_is_to_draw_and_the_avatar_goes_as_it_lies_in_the_file(
    backend, carried
):
    draw(backend, "a", avatars=("ada",), look=neural("rome"))
    _, avatar, frame = backend.sent
    assert (frame.renderer, frame.picture_side) == ("rome", 512)
    assert (avatar.avatar_id, avatar.text.tobytes()) == ("ada", b"QUJD")


def test_a_backend_that_forgot_an_avatar_is_told_again(backend, carried):
    draw(backend, "a", avatars=("ada",), look=neural())
    backend.known.discard("ada")
    backend.kinds()
    draw(backend, "a", avatars=("ada",), look=neural())
    assert backend.kinds() == ["RenderFrame", "SetSurface", "KeepAvatar", "RenderFrame"]


def test_an_avatar_that_is_gone_is_an_error(backend, carried, empty_blender):
    from blender_addon.core_access import RomeError

    empty_blender.data.meshes.remove(carried)
    with pytest.raises(RomeError) as failed:
        draw(backend, "a", avatars=("ada",), look=neural())
    assert failed.value.code == "avatar_unknown"
