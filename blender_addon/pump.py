# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries requests to the shared backend and looks, without waiting, how far they are.

Does not know bpy: whoever has a timer looks, tests look without one. The client's own threads
take what arrives, so that looking costs microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .backend.client import shared
from .core_access import Progress


class Request(Protocol):
    """The part of the client's request that is looked at (backend/client.py)."""

    future: Any
    progress: Progress | None


class Client(Protocol):
    """The part of the backend's client that operators need (backend/client.py)."""

    def request(self, message: Any) -> Any:
        """Send a request and return it at once; what goes wrong, goes into its future."""

    def cancel(self, request: Any) -> None:
        """Give a request up: its future raises Cancelled at once."""


@dataclass(frozen=True)
class HowFar:
    """Stage, fraction in [0, 1] and seconds left (None: not known) of a request."""

    stage: str = ""
    fraction: float = 0.0
    eta_seconds: float | None = None


class Pump:
    """Requests of a person's jobs.

    connect: returns the one client of this Blender; tests put another one there.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self.connect = connect

    def ask(self, message: Any) -> Request:
        """Send a message (its request_id is the client's to choose); never blocks."""
        return self.connect().request(message)

    def look(self, request: Request) -> Any | None:
        """Return the answer if it is there, else None; raises the RomeError it came to."""
        return request.future.result(0) if request.future.done() else None

    def wait(self, request: Request) -> Any:
        """Block until the answer is there; raises the RomeError it came to."""
        return request.future.result()

    def how_far(self, request: Request) -> HowFar:
        """Return the newest progress of a request."""
        newest = request.progress
        if newest is None:
            return HowFar()
        return HowFar(newest.stage, newest.fraction, newest.eta_seconds)

    def cancel(self, request: Request) -> None:
        """Give a request up; the backend stops at its next stage or is ended."""
        self.connect().cancel(request)


PUMP = Pump(shared)
