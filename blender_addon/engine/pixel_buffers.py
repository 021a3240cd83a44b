# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory for the pixels of large images, which takes a system far longer to give than to fill.

Does not know bpy or images. The first touch of a quarter of a gigabyte may take half a second, so a
thread touches it, and what was used is kept for the next stroke.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

Buffer = NDArray[np.float32]
MOST = 2  # one that is being converted, one for the next stroke
KEEP_SECONDS = 60.0


class PixelBuffers:
    """At most MOST buffers (N,) f32, lent and given back; free ones go after KEEP_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[Buffer] = []
        self._lent = 0
        self._coming: Future[None] | None = None
        self._timer: threading.Timer | None = None

    def take(self, size: int) -> Buffer | Future[None]:
        """Return a buffer of the size to be given back, or what ends when it is worth asking again.

        MemoryError where there is none to have.
        """
        with self._lock:
            self._free = [each for each in self._free if each.size == size]
            if self._free:
                self._lent += 1
                return self._free.pop()
            if self._coming is None:
                self._coming = Future()
                if self._lent < MOST:
                    buffer = np.empty(size, np.float32)
                    self._lent += 1
                    threading.Thread(target=self._touch, args=(buffer,), daemon=True).start()
            return self._coming

    def give_back(self, buffer: Buffer) -> None:
        """Let others have a buffer."""
        with self._lock:
            self._lent -= 1
            self._free.append(buffer)
            coming, self._coming = self._coming, None
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(KEEP_SECONDS, self.drop_free)
            self._timer.daemon = True
            self._timer.start()
        if coming is not None:
            coming.set_result(None)

    def drop_free(self) -> None:
        """Give what is not in use back to the system."""
        with self._lock:
            self._free.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _touch(self, buffer: Buffer) -> None:
        buffer.fill(0.0)
        self.give_back(buffer)
