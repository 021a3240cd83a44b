# SPDX-License-Identifier: GPL-3.0-or-later
"""A closed client: nothing of it is left running, and it can be used again.

Does not know Blender.
"""

from __future__ import annotations

import threading
import time

from blender_addon.core_access import DetectFaces, FacesFound


def _ask(client):
    return client.request(DetectFaces(0, "quick")).result(20)


def _threads():
    """Threads that clients started and that have not ended."""
    return {
        thread
        for thread in threading.enumerate()
        if thread.name in ("rome-out", "rome-in") or isinstance(thread, threading.Timer)
    }


def test_a_closed_client_leaves_no_thread_behind(client):
    """One that waits for ever would keep Blender's module alive, which then never ends."""
    before = _threads()
    assert isinstance(_ask(client), FacesFound)
    client.cancel(client.request(DetectFaces(0, "slow")))
    assert len(_threads() - before) >= 2
    client.close()
    deadline = time.monotonic() + 10.0
    while _threads() - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _threads() <= before


def test_a_closed_client_serves_again(client):
    assert isinstance(_ask(client), FacesFound)
    for _ in range(2):
        client.close()
        client.close()
        assert isinstance(_ask(client), FacesFound)
