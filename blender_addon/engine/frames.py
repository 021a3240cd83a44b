# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the backend for a frame and waits for it, without ever holding Blender up for good.

Does not know bpy's scenes or render results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ..backend.client import shared
from ..core_access import Cancelled, FrameReady, RenderFrame, RomeError
from .camera import FrameView
from .heads import FrameHead
from .renderer import Look

POLL_SECONDS = 0.02
FORGOTTEN = ("surface_unknown", "avatar_unknown")


class Backend(Protocol):
    """The part of backend.client.Client that frames need."""

    def request(self, message: Any) -> Any:
        """Send a request; its answer comes in the future of what is returned."""

    def cancel(self, request: Any) -> None:
        """Give a request up."""


class _Known:
    """What the backend was sent: ("surface" or "avatar", its id). It may have forgotten it, or
    been restarted."""

    things: set[tuple[str, str]] = set()


def frame_request(
    heads: Sequence[FrameHead],
    view: FrameView,
    passes: Iterable[str],
    look: Look | None = None,
    viewport: bool = False,
) -> RenderFrame:
    """Return the message that asks for a frame."""
    look = look or Look()
    return RenderFrame(
        0,
        view.camera.width,
        view.camera.height,
        view.camera.world_to_clip,
        view.world_to_view,
        tuple(head.surface_id for head in heads),
        tuple(head.vertices for head in heads),
        tuple(head.head_to_world for head in heads),
        tuple(passes),
        look.renderer,
        viewport,
        () if look.renderer == "textured" else tuple(head.avatar_id for head in heads),
        look.picture_side,
    )


def draw_frame(
    heads: Sequence[FrameHead],
    view: FrameView,
    passes: Iterable[str],
    is_cancelled: Callable[[], bool],
    look: Look | None = None,
    backend: Backend | None = None,
) -> FrameReady:
    """Return the drawn frame.

    A backend that does not know a surface or an avatar (a new one, or one that forgot) is sent
    all of them again, once. Raises Cancelled as soon as is_cancelled() says so, and whatever
    RomeError the backend answers.
    """
    client = backend or shared()
    look = look or Look()
    message = frame_request(heads, view, passes, look)
    send_needed(client, heads, look, is_cancelled)
    try:
        return wait_for(client, client.request(message), is_cancelled)
    except RomeError as error:
        if error.code not in FORGOTTEN:
            raise
    forget_sent()
    send_needed(client, heads, look, is_cancelled)
    return wait_for(client, client.request(message), is_cancelled)


def send_needed(
    client: Backend, heads: Sequence[FrameHead], look: Look, is_cancelled: Callable[[], bool]
) -> None:
    """Send what the backend needs for a frame and has not been sent yet."""
    for thing, make in _needed(heads, look).items():
        if thing not in _Known.things and (message := make()) is not None:
            wait_for(client, client.request(message), is_cancelled)
            _Known.things.add(thing)


def unsent_messages(heads: Sequence[FrameHead], look: Look) -> list[Any]:
    """Return the messages that a frame needs to be sent before it, and take them for sent.

    For who does not wait: what was sent in vain comes out as an error of FORGOTTEN.
    """
    needed = _needed(heads, look)
    missing = [make() for thing, make in needed.items() if thing not in _Known.things]
    _Known.things.update(needed)
    return [message for message in missing if message is not None]


def _needed(heads: Sequence[FrameHead], look: Look) -> dict[tuple[str, str], Callable[[], Any]]:
    """Return what a frame needs -> what makes its message."""
    found: dict[tuple[str, str], Callable[[], Any]] = {}
    for head in heads:
        found["surface", head.surface_id] = head.surface
        if head.avatar_id and look.renderer != "textured":
            found["avatar", head.avatar_id] = head.avatar
    return found


def wait_for(client: Backend, request: Any, is_cancelled: Callable[[], bool]) -> Any:
    """Wait for an answer and return it; Cancelled, and the backend told, when cancelled."""
    while True:
        if is_cancelled():
            client.cancel(request)
            raise Cancelled("Rendering was cancelled.")
        try:
            return request.future.result(POLL_SECONDS)
        except TimeoutError:
            continue


def forget_sent() -> None:
    """Send everything again when it is next needed."""
    _Known.things.clear()
