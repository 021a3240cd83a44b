# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work on a thread of its own, looked at from another one: how far, over, how it ended.

Does not know bpy, nor what the work is.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from ..core_access import RomeError
from .pip_problems import disk_full

Work = Callable[[Callable[[str, float], None], threading.Event], object]


class Task:
    """One piece of work, started at once.

    Args:
        label: what it is, for people.
        work: called as work(report, cancel); it calls report(stage, fraction in [0, 1]) and
            raises Cancelled soon after ``cancel`` is set.
    """

    def __init__(self, label: str, work: Work) -> None:
        self.label = label
        self.stage = ""
        self.fraction = 0.0
        self._cancel = threading.Event()
        pool = ThreadPoolExecutor(1, thread_name_prefix="rome-set-up")
        self._future: Future[object] = pool.submit(work, self._report, self._cancel)
        pool.shutdown(wait=False)

    def _report(self, stage: str, fraction: float) -> None:
        self.stage, self.fraction = stage, fraction

    def cancel(self) -> None:
        """Ask it to stop; it is over a moment later."""
        self._cancel.set()

    @property
    def is_cancelling(self) -> bool:
        """Whether it was asked to stop and has not stopped yet."""
        return self._cancel.is_set() and not self.is_done

    @property
    def is_done(self) -> bool:
        """Whether it is over, well or not."""
        return self._future.done()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is over, at most some seconds; return whether it is."""
        wait([self._future], seconds)
        return self.is_done

    def error(self) -> RomeError | None:
        """Return why it failed, or None when it did not; only for a task that is over.

        What the system refuses becomes a RomeError; a mistake of ours is raised.
        """
        try:
            self._future.result(0.0)
        except RomeError as error:
            return error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return disk_full("The disk is full.")
            text = f"The system refused: {error.strerror or error}."
            return RomeError("system_refused", text, "Look into the log, or press Repair.")
        return None
