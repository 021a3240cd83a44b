# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewport's talk with the backend: newest wins, small then full, surfaces, failures, no waits.

Does not need bpy's scenes, a window or a real backend.
"""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

WIDTH, HEIGHT = 80, 60


class SlowBackend:
    """Answers nothing until it is told to; `sent` are messages with their futures."""

    def __init__(self):
        self.sent, self.cancelled = [], []

    def request(self, message):
        request = SimpleNamespace(future=Future(), message=message)
        self.sent.append(request)
        return request

    def cancel(self, request):
        self.cancelled.append(request)

    def frames(self):
        return [each for each in self.sent if type(each.message).__name__ == "RenderFrame"]

    def surfaces(self):
        sent = [each.message for each in self.sent if type(each.message).__name__ == "SetSurface"]
        return [message.surface_id for message in sent]

    def answer(self):
        """Answer everything; a frame is as large as asked, and red is its number."""
        from blender_addon.core_access import FrameReady

        for each in self.sent:
            if not each.future.done():
                number = len(self.frames())
                size = (getattr(each.message, side, 1) for side in ("height", "width"))
                each.future.set_result(FrameReady(1, np.full((*size, 4), number, "f4")))

    def fail(self, code):
        from blender_addon.core_access import RomeError

        self.sent[-1].future.set_exception(RomeError(code, f"It was {code}.", "Do that."))


@pytest.fixture
def backend():
    from blender_addon.engine import frames

    frames.forget_sent()
    yield SlowBackend()
    frames.forget_sent()


@pytest.fixture
def preview(backend):
    from blender_addon.engine.preview import Preview

    return Preview(backend)


def head(name="a", height=0.0):
    from blender_addon.engine.heads import FrameHead

    texture = SimpleNamespace(pixels=np.zeros((2, 2, 3), np.uint8), png=None, digest=b"")
    faces, uvs = np.zeros((1, 3), np.int32), np.zeros((1, 3, 2), np.float32)
    return FrameHead(name, np.full((1, 3), height, np.float32), np.eye(4), faces, uvs, texture)


def wanted(*heads, turned=0.0, size=(WIDTH, HEIGHT), renderer="textured", side=256):
    from blender_addon.core_access import Camera
    from blender_addon.engine.camera import FrameView
    from blender_addon.engine.preview import Wanted
    from blender_addon.engine.renderer import Look

    clip = np.eye(4)
    clip[0, 1] = turned
    view = FrameView(Camera(clip, *size), np.eye(4))
    return Wanted(heads, view, Look(renderer, side))


def settled(preview, backend, now=0.0, what=None):
    """Bring a preview to rest: the small frame and the full one are there."""
    what = what or wanted(head())
    preview.step(what, now)
    backend.answer()
    preview.step(what, now + 1.0)
    backend.answer()
    preview.step(what, now + 2.0)
    assert not preview.is_busy()
    return what


def test_the_first_frame_is_small_and_quick_the_next_one_full(preview, backend):
    what = wanted(head())
    preview.step(what, 0.0)
    first = backend.frames()[0].message
    assert (first.width, first.height, first.viewport) == (WIDTH // 2, HEIGHT // 2, True)
    assert first.passes == ("combined",) and preview.frame is None
    assert "Waiting" in preview.line()
    backend.answer()
    preview.step(what, 0.1)
    assert preview.number == 1 and preview.frame.combined.shape == (30, 40, 4)
    assert len(backend.frames()) == 1 and preview.line() == ""
    assert not preview.is_due(0.2) and preview.is_busy() and preview.is_due(0.3)
    preview.step(what, 0.3)
    full = backend.frames()[1].message
    assert (full.width, full.height, full.viewport) == (WIDTH, HEIGHT, False)
    backend.answer()
    preview.step(what, 0.4)
    assert preview.frame.combined.shape == (60, 80, 4)
    assert not preview.is_busy() and not preview.is_due(99.0)


def test_nothing_waits_and_the_newest_wins(preview, backend):
    for turn in range(5):
        preview.step(wanted(head(), turned=turn), 0.1 * turn)
    assert len(backend.frames()) == 1 and preview.frame is None
    backend.answer()
    preview.step(wanted(head(), turned=5), 0.6)
    asked = [each.message.world_to_clip[0, 1] for each in backend.frames()]
    assert asked == [0.0, 5.0]


@pytest.mark.parametrize(
    "other",
    [
        lambda: wanted(head(height=1.0)),
        lambda: wanted(head("b")),
        lambda: wanted(head(), head()),
        lambda: wanted(head(), turned=0.1),
        lambda: wanted(head(), size=(WIDTH, HEIGHT + 1)),
        lambda: wanted(),
        lambda: wanted(head(), renderer="auto"),
        lambda: wanted(head(), side=512),
    ],
    ids=["vertices", "surface", "another head", "view", "size", "no head", "renderer", "side"],
)
def test_whatever_changes_is_drawn_anew(preview, backend, other):
    settled(preview, backend)
    before = len(backend.frames())
    preview.step(wanted(head()), 10.0)
    assert len(backend.frames()) == before  # the same again, in other objects
    preview.step(other(), 11.0)
    assert len(backend.frames()) == before + 1


def test_networks_draw_small_while_something_moves_and_as_asked_when_all_is_still(preview, backend):
    settled(preview, backend, what=wanted(head(), renderer="rome", side=512))
    asked = [each.message for each in backend.frames()]
    assert [(each.renderer, each.picture_side) for each in asked] == [("rome", 256), ("rome", 512)]


def test_a_full_frame_that_is_out_of_date_is_given_up(preview, backend):
    what = wanted(head())
    preview.step(what, 0.0)
    backend.answer()
    preview.step(what, 1.0)
    full = backend.frames()[-1]
    preview.step(what, 1.1)
    assert backend.cancelled == []
    preview.step(wanted(head(), turned=1.0), 1.2)
    assert backend.cancelled == [full]
    assert backend.frames()[-1].message.viewport and len(backend.frames()) == 3


def test_surfaces_go_before_the_frame_and_once(preview, backend):
    preview.step(wanted(head("a"), head("b"), head("a")), 0.0)
    kinds = [type(each.message).__name__ for each in backend.sent]
    assert kinds == ["SetSurface", "SetSurface", "RenderFrame"]
    assert backend.surfaces() == ["a", "b"]
    backend.answer()
    preview.step(wanted(head("b"), head("c")), 0.1)
    assert backend.surfaces() == ["a", "b", "c"]


def test_a_backend_that_forgot_is_told_again_but_not_for_ever(preview, backend):
    what = wanted(head())
    preview.step(what, 0.0)
    backend.sent[0].future.set_result(None)
    backend.fail("surface_unknown")
    preview.step(what, 0.1)
    assert backend.surfaces() == ["a", "a"] and preview.problem == ""
    backend.sent[2].future.set_result(None)
    backend.fail("surface_unknown")
    preview.step(what, 0.2)
    assert "surface_unknown" in preview.problem and len(backend.frames()) == 2


def test_a_frame_that_another_viewport_replaced_is_asked_for_again(preview, backend):
    what = wanted(head())
    preview.step(what, 0.0)
    backend.fail("replaced")
    preview.step(what, 0.1)
    assert preview.problem == "" and len(backend.frames()) == 2


def test_a_failure_is_said_once_and_not_hammered(preview, backend):
    from blender_addon.engine.preview import RETRY_SECONDS

    what = wanted(head())
    preview.step(what, 0.0)
    backend.fail("backend_missing")
    preview.step(what, 1.0)
    assert preview.line() == "It was backend_missing. Do that."
    assert not preview.is_busy() and not preview.is_due(99.0)
    preview.step(wanted(head(), turned=1.0), 1.5)
    assert len(backend.frames()) == 1
    preview.step(wanted(head(), turned=1.0), 1.1 + RETRY_SECONDS)
    assert len(backend.frames()) == 2
    assert backend.surfaces() == ["a", "a"]  # another backend knows nothing yet
    backend.answer()
    preview.step(wanted(head(), turned=1.0), 5.0)
    assert preview.line() == "" and preview.frame is not None


def test_the_reason_of_a_refused_surface_is_the_one_that_is_said(preview, backend):
    from blender_addon.core_access import RomeError

    what = wanted(head())
    preview.step(what, 0.0)
    backend.sent[0].future.set_exception(RomeError("surface_invalid", "Broken."))
    backend.fail("surface_unknown")
    preview.step(what, 0.1)
    assert preview.problem == "Broken."


def test_a_view_without_heads_says_so_and_is_drawn_empty(preview, backend):
    preview.step(wanted(), 0.0)
    assert preview.line() == "No head is visible here"
    assert backend.frames()[0].message.surface_ids == () and backend.surfaces() == []


def test_very_large_viewports_are_drawn_smaller(preview, backend):
    from blender_addon.engine.preview import MOST_PIXELS

    what = wanted(head(), size=(7680, 4320))
    preview.step(what, 0.0)
    backend.answer()
    preview.step(what, 1.0)
    for frame in backend.frames():
        message = frame.message
        assert message.width * message.height <= MOST_PIXELS * 1.001
        assert message.width / message.height == pytest.approx(16 / 9, rel=1e-3)
