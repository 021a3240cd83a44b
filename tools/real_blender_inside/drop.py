# SPDX-License-Identifier: Apache-2.0
"""A file manager's side of drag and drop: offers one file to the window under a place.

Does not know Blender. It speaks XDND (freedesktop.org, version 5) through libX11 by ctypes,
because nothing in a minimal Debian drops files without a toolkit.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from types import TracebackType

CLIENT_MESSAGE, SELECTION_NOTIFY, SELECTION_REQUEST = 33, 31, 30
EVENT_BYTES = 192
XDND_VERSION = 5
SECONDS = 8.0
# Places of the longs in 64-bit X events (Xlib.h).
WINDOW, KIND, FORMAT, DATA = 4, 5, 6, 7
_names = (
    "XdndAware", "XdndEnter", "XdndPosition", "XdndStatus", "XdndDrop", "XdndFinished",
    "XdndActionCopy", "XdndSelection", "text/uri-list",
)  # fmt: skip


class Source:
    """An invisible window that a file is dragged out of."""

    def __init__(self, display: str, file: Path) -> None:
        self._x = ctypes.CDLL("libX11.so.6")
        for name in ("XOpenDisplay", "XDefaultRootWindow", "XCreateSimpleWindow", "XInternAtom"):
            getattr(self._x, name).restype = ctypes.c_void_p
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(display.encode()))
        self._root = self._x.XDefaultRootWindow(self._display)
        self._window = self._x.XCreateSimpleWindow(
            self._display, ctypes.c_ulong(self._root), 0, 0, 1, 1, 0, 0, 0
        )
        self._atoms = {
            name: self._x.XInternAtom(self._display, name.encode(), 0) for name in _names
        }
        self._content = f"{file.as_uri()}\r\n".encode()

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._x.XCloseDisplay(self._display)

    def drop(self, x: int, y: int) -> bool:
        """Drag the file over the window at the place (px of the screen) and let it go there.

        Return whether that window took it.
        """
        target = self._aware_window_at(x, y)
        if target is None:
            return False
        atom, window = self._atoms, ctypes.c_ulong(self._window)
        self._x.XSetSelectionOwner(self._display, ctypes.c_ulong(atom["XdndSelection"]), window, 0)
        self._tell(target, "XdndEnter", XDND_VERSION << 24, atom["text/uri-list"])
        for _ in range(5):
            self._tell(target, "XdndPosition", 0, x << 16 | y, 0, atom["XdndActionCopy"])
            self._answer(0.3, "XdndStatus")
        self._tell(target, "XdndDrop", 0, 0)
        return self._answer(SECONDS, "XdndFinished")

    def _aware_window_at(self, x: int, y: int) -> int | None:
        """Return the innermost window at the place that says it takes drops."""
        found, window = None, self._root
        while window:
            if self._is_aware(window):
                found = window
            child, left, top = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_int()
            self._x.XTranslateCoordinates(
                self._display, ctypes.c_ulong(self._root), ctypes.c_ulong(window), x, y,
                ctypes.byref(left), ctypes.byref(top), ctypes.byref(child),
            )  # fmt: skip
            window = child.value
        return found

    def _is_aware(self, window: int) -> bool:
        count = ctypes.c_int()
        self._x.XListProperties.restype = ctypes.POINTER(ctypes.c_ulong)
        names = self._x.XListProperties(self._display, ctypes.c_ulong(window), ctypes.byref(count))
        return self._atoms["XdndAware"] in [names[index] for index in range(count.value)]

    def _tell(self, target: int, name: str, *data: int) -> None:
        """Send a client message; its first datum is this window."""
        event = (ctypes.c_ulong * (EVENT_BYTES // 8))()
        event[0], event[WINDOW], event[KIND], event[FORMAT] = (
            CLIENT_MESSAGE, target, self._atoms[name], 32,
        )  # fmt: skip
        for index, value in enumerate((self._window, *data)):
            event[DATA + index] = value
        self._send(target, event)

    def _send(self, target: int, event: ctypes.Array[ctypes.c_ulong]) -> None:
        self._x.XSendEvent(self._display, ctypes.c_ulong(target), 0, 0, ctypes.byref(event))
        self._x.XFlush(self._display)

    def _answer(self, seconds: float, until: str) -> bool:
        """Give the file to who asks for it, until the message comes; return whether it did."""
        deadline = time.monotonic() + seconds
        event = (ctypes.c_ulong * (EVENT_BYTES // 8))()
        while time.monotonic() < deadline:
            if not self._x.XPending(self._display):
                time.sleep(0.02)
                continue
            self._x.XNextEvent(self._display, ctypes.byref(event))
            kind = event[0] & 0xFFFFFFFF
            if kind == SELECTION_REQUEST:
                self._give(event)
            elif kind == CLIENT_MESSAGE and event[KIND] == self._atoms[until]:
                return True
        return False

    def _give(self, request: ctypes.Array[ctypes.c_ulong]) -> None:
        """Put the file's address where it was asked for, and say so."""
        requestor, selection, target, place, when = (request[index] for index in range(5, 10))
        self._x.XChangeProperty(
            self._display, ctypes.c_ulong(requestor), ctypes.c_ulong(place), ctypes.c_ulong(target),
            8, 0, self._content, len(self._content),
        )  # fmt: skip
        event = (ctypes.c_ulong * (EVENT_BYTES // 8))()
        event[0] = SELECTION_NOTIFY
        for index, value in enumerate((requestor, selection, target, place, when)):
            event[WINDOW + index] = value
        self._send(requestor, event)
