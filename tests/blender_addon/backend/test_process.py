# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of one backend process: its group, its log, its certain end."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from blender_addon.backend import process as process_module
from blender_addon.backend.locate import Launch
from blender_addon.backend.process import BackendProcess
from blender_addon.core_access import LoadAvatar, Progress, RomeError, Shutdown

ECHO = """
import sys
from rome_backend.core.message_codec import receive, send
while (message := receive(sys.stdin.buffer)) is not None:
    send(sys.stdout.buffer, message)
"""
DEAF = "import time; print('x'); time.sleep(60)"
posix = pytest.mark.skipif(os.name != "posix", reason="process groups as POSIX has them")


@pytest.fixture
def start(root, tmp_path):
    started = []

    def run(program, log=tmp_path / "new" / "backend.log"):
        environment = {**os.environ, "PYTHONPATH": str(root)}
        launch = Launch((sys.executable, "-u", "-c", program), environment, log)
        started.append(BackendProcess(launch))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.end(0.0)
        process.close()


def is_gone(pid):
    """Whether a process has ended; waits a little before it says no."""
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
    except OSError:
        return True
    time.sleep(0.01)
    return False


def test_messages_go_in_and_come_out_until_the_end(start):
    process = start(ECHO)
    for number in range(3):
        process.write(Progress(number, "a", 0.5))
        assert process.read() == Progress(number, "a", 0.5)
    assert process.end(10) == 0
    assert process.read() is None and not process.is_alive()


def test_large_messages_pass(start):
    process = start(ECHO)
    data = np.arange(5_000_000, dtype=np.uint32).view(np.uint8)
    threading.Thread(target=process.write, args=(LoadAvatar(1, data),), daemon=True).start()
    np.testing.assert_array_equal(process.read().data, data)


def test_writing_to_one_that_is_gone_is_an_os_error(start):
    process = start("pass")
    assert process.end(10) == 0
    with pytest.raises(OSError):
        process.write(Shutdown())


@posix
def test_it_leads_its_own_group_and_its_children_die_with_it(start, tmp_path):
    path = tmp_path / "pid"
    process = start(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(path)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    while not path.is_file() or not path.read_text():
        time.sleep(0.01)
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    grandchild = int(path.read_text())
    assert os.getpgid(grandchild) == process.pid
    assert process.end(0.1) == -9
    assert any(is_gone(grandchild) for _ in range(200))


def test_a_deaf_one_is_killed_even_while_somebody_writes_to_it(start):
    process = start(DEAF)
    failed = []

    def write():
        try:
            process.write(LoadAvatar(1, np.zeros(8 << 20, np.uint8)))
        except OSError:
            failed.append(True)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    time.sleep(0.2)
    start_time = time.perf_counter()
    assert process.end(0.2) not in (0, None)
    assert time.perf_counter() - start_time < 2
    writer.join(5)
    assert failed


def test_stderr_is_the_log_and_its_last_line_the_last_words(start):
    process = start("import sys; sys.stderr.write('one\\ntwo — drei\\n\\n')")
    process.end(10)
    assert process.last_words() == "two — drei"
    assert start("import sys; sys.stderr.write('three\\n')").end(10) == 0
    assert process.launch.log.read_text("utf-8").split() == ["one", "two", "—", "drei", "three"]


def test_a_long_log_becomes_the_old_one(start, tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "MAX_LOG_BYTES", 10)
    log = tmp_path / "backend.log"
    log.write_text("a long old log\n")
    start("import sys; sys.stderr.write('new\\n')", log).end(10)
    assert log.read_text() == "new\n"
    assert (tmp_path / "backend.old.log").read_text() == "a long old log\n"


def test_a_log_that_cannot_be_written_is_an_error_with_a_hint(start, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RomeError) as caught:
        start("pass", tmp_path / "file" / "backend.log")
    assert caught.value.code == "backend_start" and caught.value.hint
