# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on a thread of its own: how far it is, and how it ends."""

from __future__ import annotations

import errno
import threading

import pytest

from blender_addon.backend.task import Task
from blender_addon.core_access import Cancelled, RomeError

SECONDS = 10.0


def _ended(work):
    task = Task("Work", work)
    assert task.wait(SECONDS)
    return task


def test_it_reports_from_its_thread_and_ends_well():
    threads = []

    def work(report, cancel):
        threads.append(threading.current_thread())
        report("half", 0.5)

    task = _ended(work)
    assert (task.stage, task.fraction, task.error()) == ("half", 0.5, None)
    assert task.is_done and not task.is_cancelling
    assert threads != [threading.current_thread()]


def test_cancel_is_seen_by_the_work():
    seen = threading.Event()

    def work(report, cancel):
        seen.set()
        assert cancel.wait(SECONDS)
        raise Cancelled()

    task = Task("Work", work)
    assert seen.wait(SECONDS) and not task.is_done
    task.cancel()
    assert task.wait(SECONDS)
    assert task.error().code == "cancelled"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RomeError("ours", "Ours.", "Do this."), "ours"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (PermissionError(errno.EACCES, "Permission denied"), "system_refused"),
    ],
)
def test_what_goes_wrong_is_an_error_with_a_next_step(error, code):
    def work(report, cancel):
        raise error

    found = _ended(work).error()
    assert found.code == code and found.message and found.hint


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        _ended(lambda report, cancel: 1 / 0).error()


def test_waiting_has_an_end():
    go_on = threading.Event()
    task = Task("Work", lambda report, cancel: go_on.wait(SECONDS))
    assert not task.wait(0.01)
    go_on.set()
    assert task.wait(SECONDS)
