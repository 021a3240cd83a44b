# SPDX-License-Identifier: GPL-3.0-or-later
"""What one viewport in Rendered shading has asked the backend for, and the newest it has got.

Does not know windows, drawing or how heads are read. Nothing here waits: step() looks whether the
frame that is under way has come, then asks for the next one if something changed. One frame is
under way at a time, so that the one after it is always of the newest state. While something
moves, frames are small and have one sample per pixel; when all is still, one follows in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np

from ..backend.client import shared
from ..core_access import PICTURE_SIDES, Camera, FrameReady, RomeError
from .camera import FrameView
from .frames import FORGOTTEN, Backend, forget_sent, frame_request, unsent_messages
from .heads import FrameHead
from .renderer import Look, tell

STILL_SECONDS = 0.25
RETRY_SECONDS = 3.0
MOST_PIXELS = 1 << 22
HARMLESS = ("replaced", "cancelled")  # a frame that nobody needs any more


class Quality(IntEnum):
    """How good a frame is."""

    MOVING = 0
    STILL = 1


SCALES = {Quality.MOVING: 0.5, Quality.STILL: 1.0}


@dataclass(frozen=True)
class Wanted:
    """What a viewport should show: its heads, the view with the region's size in px, and what
    is to draw them."""

    heads: tuple[FrameHead, ...]
    view: FrameView
    look: Look = field(default_factory=Look)

    def is_like(self, other: Wanted | None) -> bool:
        """Return whether both come to the same pixels."""
        return (
            other is not None
            and self.look == other.look
            and _size(self.view) == _size(other.view)
            and np.array_equal(self.view.camera.world_to_clip, other.view.camera.world_to_clip)
            and np.array_equal(self.view.world_to_view, other.view.world_to_view)
            and len(self.heads) == len(other.heads)
            and all(map(_are_alike, self.heads, other.heads))
        )


@dataclass(frozen=True)
class Asked:
    """A frame under way, with what was sent before it."""

    wanted: Wanted
    quality: Quality
    request: Any
    before: Sequence[Any]


@dataclass(eq=False)
class Preview:
    """The state of one viewport.

    frame: the newest that came, None before the first; number: how many have come; problem: why
    none comes, in words, "" when all is well. Times are seconds of one monotonic clock.
    """

    backend: Backend | None = None
    frame: FrameReady | None = None
    number: int = 0
    problem: str = ""
    _wanted: Wanted | None = None
    _changed_at: float = 0.0
    _asked: Asked | None = None
    _shown: tuple[Wanted, Quality] | None = None
    _retry_at: float = 0.0
    _forgotten: bool = False

    def step(self, wanted: Wanted, now: float) -> None:
        """Take what has come, and ask for what is wanted if it differs from what is shown."""
        if not wanted.is_like(self._wanted):
            self._wanted, self._changed_at = wanted, now
        self._take(now)
        self._drop_outdated()
        if self._asked is None and now >= self._retry_at and self._is_worth_asking(now):
            self._ask(self._quality(now))

    def is_due(self, now: float) -> bool:
        """Return whether a step would do something now."""
        if self._asked is not None:
            return bool(self._asked.request.future.done())
        return not self.problem and self._is_worth_asking(now)

    def is_busy(self) -> bool:
        """Return whether something will be due without anybody's doing."""
        if self._asked is not None:
            return True
        return not self.problem and self._wanted is not None and not self._is_shown(Quality.STILL)

    def line(self) -> str:
        """Return what a person should read above the picture; "" when there is nothing to say."""
        if self.problem:
            return self.problem
        if self._wanted is not None and not self._wanted.heads:
            return "No head is visible here"
        return "" if self.frame is not None else "Waiting for the first frame"

    def _quality(self, now: float) -> Quality:
        still = now - self._changed_at >= STILL_SECONDS
        return Quality.STILL if still else Quality.MOVING

    def _is_shown(self, quality: Quality) -> bool:
        shown = self._shown
        assert self._wanted is not None
        return shown is not None and shown[1] >= quality and self._wanted.is_like(shown[0])

    def _is_worth_asking(self, now: float) -> bool:
        return self._wanted is not None and not self._is_shown(self._quality(now))

    def _ask(self, quality: Quality) -> None:
        assert self._wanted is not None
        client = self.backend or shared()
        heads, look = self._wanted.heads, self._wanted.look
        before = [client.request(message) for message in unsent_messages(heads, look)]
        view = _scaled(self._wanted.view, SCALES[quality])
        moving = quality is Quality.MOVING
        if moving:
            look = replace(look, picture_side=PICTURE_SIDES[0])
        message = frame_request(heads, view, ("combined",), look, viewport=moving)
        self._asked = Asked(self._wanted, quality, client.request(message), before)

    def _drop_outdated(self) -> None:
        """Give a full frame up that is no longer of the newest state; small ones end by themselves
        soon enough."""
        asked = self._asked
        if asked is None or asked.quality is Quality.MOVING or asked.wanted is self._wanted:
            return
        (self.backend or shared()).cancel(asked.request)
        self._asked = None

    def _take(self, now: float) -> None:
        asked = self._asked
        if asked is None or not asked.request.future.done():
            return
        self._asked = None
        error = next(filter(None, map(_error_of, (*asked.before, asked.request))), None)
        if error is None:
            self.frame = asked.request.future.result()
            self.number += 1
            tell(self.frame)
            self.problem, self._forgotten, self._shown = "", False, (asked.wanted, asked.quality)
        elif error.code in FORGOTTEN and not self._forgotten:
            self._forgotten = True  # a new backend, or one that had too many: tell it again, once
            forget_sent()
        elif error.code not in HARMLESS:
            forget_sent()
            self.problem, self._retry_at = str(error), now + RETRY_SECONDS


def _error_of(request: Any) -> RomeError | None:
    """Return what a request has come to if that is an error."""
    return request.future.exception() if request.future.done() else None


def _size(view: FrameView) -> tuple[int, int]:
    return view.camera.width, view.camera.height


def _are_alike(one: FrameHead, other: FrameHead) -> bool:
    return one is other or (
        one.surface_id == other.surface_id
        and np.array_equal(one.vertices, other.vertices)
        and np.array_equal(one.head_to_world, other.head_to_world)
    )


def _scaled(view: FrameView, scale: float) -> FrameView:
    """Return the same view in fewer pixels, never more than MOST_PIXELS."""
    width, height = _size(view)
    scale = min(scale, (MOST_PIXELS / (width * height)) ** 0.5)
    sides = (max(round(side * scale), 1) for side in (width, height))
    return FrameView(Camera(view.camera.world_to_clip, *sides), view.world_to_view)
