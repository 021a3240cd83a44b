# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a program line by line, and ending it."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from blender_addon.backend.run_child import REMEMBERED_LINES, run_child
from blender_addon.core_access import Cancelled, RomeError


def _run(code, on_line=lambda line: None, cancel=None):
    command = [sys.executable, "-u", "-c", code]
    return run_child(command, dict(os.environ), on_line, cancel or threading.Event())


def test_lines_of_both_streams_come_in_order_with_the_exit_code():
    heard = []
    code = "import sys; print('a'); print('b', file=sys.stderr); print('c'); sys.exit(3)"
    assert _run(code, heard.append) == (3, ["a", "b", "c"])
    assert heard == ["a", "b", "c"]


def test_while_no_line_comes_it_ticks():
    ticks = []
    command = [sys.executable, "-c", "import time; time.sleep(0.5); print('a')"]
    done = run_child(
        command, dict(os.environ), ticks.append, threading.Event(), lambda: ticks.append(None)
    )
    assert done == (0, ["a"])
    assert ticks[0] is None and ticks[-2:] == ["a", None] and len(ticks) > 3


def test_only_the_last_lines_are_kept():
    code, lines = _run("print('\\n'.join(map(str, range(1000))))")
    assert code == 0 and lines == [str(each) for each in range(1000)][-REMEMBERED_LINES:]


def test_bytes_that_are_no_text_do_no_harm():
    code, lines = _run("import sys; sys.stdout.buffer.write(b'a\\xff\\n')")
    assert code == 0 and lines == ["a\N{REPLACEMENT CHARACTER}"]


def test_it_has_no_input_to_wait_for():
    assert _run("import sys; print(len(sys.stdin.read()))") == (0, ["0"])


def test_cancel_ends_a_silent_program_at_once():
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        _run("import time; time.sleep(60)", cancel=cancel)
    assert time.monotonic() - started < 2.0


def test_cancelled_before_it_starts_it_never_starts(tmp_path):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        _run(f"open({str(tmp_path / 'started')!r}, 'w')", cancel=cancel)
    assert not (tmp_path / "started").exists()


def test_an_error_of_the_listener_ends_the_program():
    def fail(line):
        raise ValueError(line)

    started = time.monotonic()
    with pytest.raises(ValueError, match="a"):
        _run("import time; print('a'); time.sleep(60)", fail)
    assert time.monotonic() - started < 5.0


def test_what_cannot_be_started_is_an_error():
    with pytest.raises(RomeError) as caught:
        run_child(["/nowhere/python"], {}, lambda line: None, threading.Event())
    assert caught.value.code == "program_failed"
