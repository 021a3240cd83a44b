# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the client against real child processes: crashes, cancels, versions, many at once."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from concurrent.futures import TimeoutError as Late
from pathlib import Path

import numpy as np
import pytest

from blender_addon.backend import client as client_module
from blender_addon.backend.client import BackendFailed, Client
from blender_addon.backend.locate import Launch
from blender_addon.core_access import (
    Cancelled,
    DetectFaces,
    FacesFound,
    FrameReady,
    RenderFrame,
    RomeError,
)

EYE = np.eye(4)
OTHER_VERSION = """
import sys
from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import Welcome
receive(sys.stdin.buffer)
send(sys.stdout.buffer, Welcome({protocol}, "7.7.7"))
sys.stdout.flush()
receive(sys.stdin.buffer)
"""


def ask(client, work, seconds=20):
    return client.request(DetectFaces(0, work)).result(seconds)


def error_of(request, seconds=20):
    error = request.future.exception(seconds)
    assert isinstance(error, RomeError), error
    return error


def eventually(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_is_started_before_it_is_needed(client):
    assert client.pid is None and client.welcome is None
    assert isinstance(ask(client, "quick"), FacesFound)
    assert client.pid is not None and client.welcome.device == "auto"


def test_requests_return_at_once_even_while_the_backend_starts(client):
    start = time.perf_counter()
    request = client.request(DetectFaces(0, "quick"))
    assert time.perf_counter() - start < 0.05
    with pytest.raises(Late):
        client.request(DetectFaces(0, "patient")).result(0.01)
    assert isinstance(request.result(20), FacesFound)


def test_all_requests_share_one_process(client):
    pids = {ask(client, "quick").height for _ in range(3)}
    assert pids == {client.pid}


def test_answers_find_their_requests_from_many_threads(client):
    def frame(size):
        return client.request(RenderFrame(0, size, 1, EYE, EYE, (), (), ()))

    found = {}

    def work(first):
        for size in range(first, first + 10):
            found[size] = frame(size).result(20)

    threads = [threading.Thread(target=work, args=(first,)) for first in (1, 11, 21, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    for size, answer in found.items():
        assert isinstance(answer, FrameReady) and answer.combined.shape == (1, size, 4)
        assert float(answer.combined[0, 0, 0]) == answer.request_id


def test_progress_is_kept_and_put_into_the_queue(client):
    events = queue.Queue()
    request = client.request(DetectFaces(0, "patient"), events)
    first, second = events.get(timeout=20), events.get(timeout=20)
    assert first.request_id == second.request_id == request.request_id
    assert request.progress.fraction >= second.fraction >= first.fraction
    client.cancel(request)


def test_failures_carry_code_message_hint_and_exit_code(client):
    error = error_of(client.request(DetectFaces(0, "refuse")))
    assert isinstance(error, BackendFailed)
    assert (error.code, error.message, error.hint) == ("no_face", "No face.", "Another photo.")
    assert error.exit_code == 3
    assert isinstance(ask(client, "quick"), FacesFound)


def test_cancel_is_immediate_and_the_backend_is_free_within_a_second(client):
    request = client.request(DetectFaces(0, "patient"))
    eventually(lambda: request.progress is not None)
    pid, start = client.pid, time.perf_counter()
    client.cancel(request)
    assert isinstance(error_of(request, 0), Cancelled)
    assert ask(client, "quick").height == pid
    assert time.perf_counter() - start < 1


def test_cancel_before_sending_and_after_the_answer_are_no_matter(client):
    early = client.request(DetectFaces(0, "patient"))
    client.cancel(early)
    assert isinstance(error_of(early, 0), Cancelled)
    late = client.request(DetectFaces(0, "quick"))
    late.result(20)
    client.cancel(late)
    client.cancel(early)
    assert isinstance(late.result(0), FacesFound)
    assert isinstance(ask(client, "quick"), FacesFound)
    eventually(lambda: not client._unconfirmed)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_what_is_given_up_while_the_backend_starts_is_never_sent(client, monkeypatch):
    starting, go_on = threading.Event(), threading.Event()
    connected = client._connected

    def slowly(launch):
        process = connected(launch)
        starting.set()
        assert go_on.wait(20)
        return process

    monkeypatch.setattr(client, "_connected", slowly)
    monkeypatch.setattr(client_module, "STUCK_SECONDS", 0.05)
    first = client.request(DetectFaces(0, "quick"))
    assert starting.wait(20)
    client.cancel(first)
    time.sleep(0.2)  # longer than a stuck backend may take
    go_on.set()
    assert isinstance(error_of(first), Cancelled)
    second = client.request(DetectFaces(0, "quick"))
    assert isinstance(second.result(20), FacesFound)
    assert first.carrier is None and client.pid == second.carrier.pid


def test_a_backend_that_does_not_listen_is_killed(client, monkeypatch):
    monkeypatch.setattr(client_module, "STUCK_SECONDS", 0.3)
    ask(client, "quick")
    pid = client.pid
    request = client.request(DetectFaces(0, "patient"))
    eventually(lambda: request.progress is not None)
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    client.cancel(request)
    assert isinstance(error_of(request, 0), Cancelled)
    eventually(lambda: client.pid is None)
    assert ask(client, "quick").height != pid


@pytest.mark.parametrize("way", ["kill", "itself"])
def test_a_backend_killed_in_the_middle_fails_its_jobs_and_the_next_request_works(client, way):
    jobs = [client.request(DetectFaces(0, "patient" if way == "kill" else "die"))]
    jobs.append(client.request(DetectFaces(0, "quick")))
    if way == "kill":
        eventually(lambda: jobs[0].progress is not None)
        os.kill(client.pid, signal.SIGKILL)
    for job in jobs:
        error = error_of(job)
        assert error.code == "backend_died" and "again" in error.hint
    assert isinstance(ask(client, "quick"), FacesFound)


def test_a_backend_killed_while_idle_is_not_noticed(client):
    before = ask(client, "quick").height
    os.kill(client.pid, signal.SIGKILL)
    eventually(lambda: client.pid is None)
    assert ask(client, "quick").height != before


def test_close_ends_it_and_the_next_request_starts_another(client):
    before = ask(client, "quick").height
    open_job = client.request(DetectFaces(0, "patient"))
    eventually(lambda: open_job.progress is not None)
    start = time.perf_counter()
    client.close()
    assert time.perf_counter() - start < 1.5
    assert isinstance(error_of(open_job, 0), Cancelled)
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert ask(client, "quick").height != before


def test_stray_prints_break_nothing(client):
    assert isinstance(ask(client, "stray"), FacesFound)
    assert isinstance(ask(client, "quick"), FacesFound)


@pytest.mark.parametrize(("protocol", "press"), [(0, "Repair"), (99, "Install the newer")])
def test_another_version_says_what_to_press(clients, protocol, press):
    client = clients("-c", OTHER_VERSION.format(protocol=protocol))
    for _ in range(2):
        error = error_of(client.request(DetectFaces(0, "quick")))
        assert error.code == "backend_version" and press in error.hint
        assert "7.7.7" in error.message and "0.1.0" in error.message


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit('no module named torch')",
        "import sys; sys.stderr.write('no module named torch\\n'); print('Hello!' * 9)",
    ],
)
def test_a_backend_that_does_not_start_says_its_last_words(clients, program):
    client = clients("-c", program)
    error = error_of(client.request(DetectFaces(0, "quick")))
    assert error.code == "backend_start" and "no module named torch" in error.message
    assert "Repair" in error.hint


def test_a_program_that_is_not_there_is_an_error_of_the_request(tmp_path):
    launch = Launch((str(tmp_path / "python"),), {}, tmp_path / "log")
    client = Client(lambda: launch, "0.1.0")
    assert error_of(client.request(DetectFaces(0, "quick"))).code == "backend_start"
    client.close()


def test_what_finding_raises_is_an_error_of_the_request():
    def find():
        raise RomeError("backend_missing", "Not set up.", "Press Set Up.")

    error = error_of(Client(find, "0.1.0").request(DetectFaces(0, "quick")), 0)
    assert error.code == "backend_missing"


def test_other_threads_do_not_ask_how_to_start_it_again(launch_of, fake, tmp_path):
    asked = []

    def find():
        asked.append(threading.current_thread())
        return launch_of(tmp_path / "log", fake)

    client = Client(find, "0.1.0")
    ask(client, "quick")
    thread = threading.Thread(target=lambda: asked.append(ask(client, "quick").width))
    thread.start()
    thread.join()
    assert asked == [threading.main_thread(), 10]
    client.close()


def test_a_request_that_cannot_be_sent_fails_alone(client):
    bad = client.request(RenderFrame(0, 1, 1, np.array([[None]]), EYE, (), (), ()))
    assert error_of(bad).code == "request_invalid"
    assert isinstance(ask(client, "quick"), FacesFound)


def test_a_new_choice_takes_the_place_of_an_idle_backend(launch_of, fake, tmp_path):
    chosen = [launch_of(tmp_path / "a.log", fake)]
    client = Client(lambda: chosen[0], "0.1.0")
    before = ask(client, "quick").height
    job = client.request(DetectFaces(0, "patient"))
    eventually(lambda: job.progress is not None)
    chosen[0] = launch_of(tmp_path / "b.log", "-u", fake)
    waits = client.request(DetectFaces(0, "quick"))
    eventually(lambda: waits.carrier is not None)
    client.cancel(job)
    assert waits.result(20).height == before
    after = ask(client, "quick").height
    assert after != before
    client.close()
