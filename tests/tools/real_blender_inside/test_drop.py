# SPDX-License-Identifier: Apache-2.0
"""The drag source's messages, byte by byte.

Does not need X: a stand-in for libX11 notes what is sent and plays the window that is dropped on.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from tools.real_blender_inside import drop as module
from tools.real_blender_inside.drop import CLIENT_MESSAGE, DATA, KIND, SELECTION_REQUEST, WINDOW

ROOT, TARGET, OWN = 1, 77, 5


class Function:
    """A function of libX11; its result's type can be set."""

    def __init__(self, call) -> None:
        self._call = call

    def __call__(self, *arguments):
        return self._call(*arguments)


class FakeX:
    """One window that takes drops below the root; it asks for the file, then says it is done."""

    def __init__(self, aware: bool = True, polite: bool = True) -> None:
        self.aware, self.polite = aware, polite
        self.atoms: dict[bytes, int] = {}
        self.sent: list[list[int]] = []
        self.properties: list[tuple[int, bytes]] = []
        self.queue: list[list[int]] = []
        self.closed = False

    def __getattr__(self, name: str):
        own = {
            "XOpenDisplay": lambda display: 9,
            "XDefaultRootWindow": lambda display: ROOT,
            "XCreateSimpleWindow": lambda *arguments: OWN,
            "XInternAtom": lambda d, name, only: self.atoms.setdefault(name, 100 + len(self.atoms)),
            "XListProperties": self._properties,
            "XTranslateCoordinates": self._inner,
            "XSendEvent": self._send,
            "XPending": lambda display: len(self.queue),
            "XNextEvent": self._next,
            "XChangeProperty": self._change,
            "XCloseDisplay": lambda display: setattr(self, "closed", True),
        }
        function = Function(own.get(name, lambda *arguments: 0))
        setattr(self, name, function)
        return function

    def _properties(self, display, window, count):
        own = [self.atoms[b"XdndAware"]] if self.aware and window.value == TARGET else [3]
        count._obj.value = len(own)
        return own

    def _inner(self, display, source, window, x, y, left, top, child):
        child._obj.value = TARGET if window.value == ROOT else 0

    def _send(self, display, target, propagate, mask, event):
        values = list(event._obj)
        self.sent.append(values)
        kinds = {number: name for name, number in self.atoms.items()}
        if values[0] == CLIENT_MESSAGE and kinds[values[KIND]] == b"XdndPosition":
            self._say(b"XdndStatus")
        if values[0] == CLIENT_MESSAGE and kinds[values[KIND]] == b"XdndDrop" and self.polite:
            request = [0] * 24
            request[0], request[4:10] = SELECTION_REQUEST, (OWN, TARGET, 20, 21, 22, 23)
            self.queue.append(request)
            self._say(b"XdndFinished")

    def _say(self, name: bytes) -> None:
        message = [0] * 24
        message[0], message[KIND] = CLIENT_MESSAGE, self.atoms[name]
        self.queue.append(message)

    def _next(self, display, event):
        event._obj[:] = self.queue.pop(0)

    def _change(self, display, window, place, target, bits, mode, content, length):
        self.properties.append((window.value, content))


def source(monkeypatch: pytest.MonkeyPatch, x: FakeX, file: Path) -> module.Source:
    monkeypatch.setattr(module.ctypes, "CDLL", lambda name: x)
    monkeypatch.setattr(module, "SECONDS", 0.1)
    return module.Source(":1", file)


def test_a_file_reaches_the_window_under_the_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x, file = FakeX(), tmp_path / "a photo.jpg"
    with source(monkeypatch, x, file) as dragged:
        assert dragged.drop(300, 200)
    assert x.properties == [(TARGET, f"{file.as_uri()}\r\n".encode())]
    assert x.closed and "%20" in file.as_uri()
    kinds = {number: name.decode() for name, number in x.atoms.items()}
    told = [kinds[each[KIND]] for each in x.sent if each[0] == CLIENT_MESSAGE]
    assert told == ["XdndEnter", *["XdndPosition"] * 5, "XdndDrop"]
    assert all(each[WINDOW] == TARGET for each in x.sent)
    position = next(each for each in x.sent if kinds.get(each[KIND]) == "XdndPosition")
    assert position[DATA : DATA + 3] == [OWN, 0, 300 << 16 | 200]


def test_a_place_where_nobody_takes_drops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = FakeX(aware=False)
    with source(monkeypatch, x, tmp_path / "photo.jpg") as dragged:
        assert not dragged.drop(300, 200)
    assert x.sent == []


def test_a_window_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = FakeX(polite=False)
    with source(monkeypatch, x, tmp_path / "photo.jpg") as dragged:
        assert not dragged.drop(300, 200)
    assert x.properties == []


def test_events_are_as_large_as_xlibs() -> None:
    assert ctypes.sizeof(ctypes.c_ulong) * (module.EVENT_BYTES // 8) == 192
