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

POLL_SECONDS = 0.02


class Backend(Protocol):
    """The part of backend.client.Client that frames need."""

    def request(self, message: Any) -> Any:
        """Send a request; its answer comes in the future of what is returned."""

    def cancel(self, request: Any) -> None:
        """Give a request up."""


class _Known:
    """The surfaces that the backend was sent. It may have forgotten them, or been restarted."""

    surfaces: set[str] = set()


def frame_request(
    heads: Sequence[FrameHead], view: FrameView, passes: Iterable[str], viewport: bool = False
) -> RenderFrame:
    """Return the message that asks for a frame."""
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
        viewport=viewport,
    )


def draw_frame(
    heads: Sequence[FrameHead],
    view: FrameView,
    passes: Iterable[str],
    is_cancelled: Callable[[], bool],
    backend: Backend | None = None,
) -> FrameReady:
    """Return the drawn frame.

    A backend that does not know a surface (a new one, or one that forgot) is sent all of them
    again, once. Raises Cancelled as soon as is_cancelled() says so, and whatever RomeError the
    backend answers.
    """
    client = backend or shared()
    message = frame_request(heads, view, passes)
    send_surfaces(client, heads, is_cancelled)
    try:
        return wait_for(client, client.request(message), is_cancelled)
    except RomeError as error:
        if error.code != "surface_unknown":
            raise
    forget_surfaces()
    send_surfaces(client, heads, is_cancelled)
    return wait_for(client, client.request(message), is_cancelled)


def send_surfaces(
    client: Backend, heads: Sequence[FrameHead], is_cancelled: Callable[[], bool]
) -> None:
    """Send the surfaces that the backend has not been sent yet."""
    for head in heads:
        if head.surface_id not in _Known.surfaces:
            wait_for(client, client.request(head.surface()), is_cancelled)
            _Known.surfaces.add(head.surface_id)


def unsent_surfaces(heads: Sequence[FrameHead]) -> list[FrameHead]:
    """Return the heads whose surface the backend has not been sent, and take them for sent.

    For who does not wait: what was sent in vain comes out as `surface_unknown`.
    """
    found = {head.surface_id: head for head in heads if head.surface_id not in _Known.surfaces}
    _Known.surfaces.update(found)
    return list(found.values())


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


def forget_surfaces() -> None:
    """Send every surface again when it is next needed."""
    _Known.surfaces.clear()
