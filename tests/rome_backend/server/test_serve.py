# SPDX-License-Identifier: Apache-2.0
"""Tests of the backend as a real child process: what it survives, how it stops and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rome_backend import __version__
from rome_backend.core.framing import Frame, write_frame
from rome_backend.core.messages import (
    PROTOCOL,
    Cancel,
    CreateAvatar,
    DetectFaces,
    FacesFound,
    Failed,
    FrameReady,
    Hello,
    RenderFrame,
    SetSurface,
    Shutdown,
    SurfaceReady,
    Welcome,
)

EYE = np.eye(4)
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def frame(request_id: int, viewport: bool = False) -> RenderFrame:
    return RenderFrame(request_id, 8, 4, EYE, EYE, (), (), (), viewport=viewport)


def gone(pid: int, seconds: float) -> bool:
    """Whether a process that is not our child ends in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_hello_is_answered_with_both_versions(start: Callable[[list[str]], Any]) -> None:
    welcome = start(["-m", "rome_backend", "serve"]).greet()
    assert (welcome.protocol, welcome.version) == (PROTOCOL, __version__)
    assert welcome.python == ".".join(map(str, sys.version_info[:3]))


def test_what_was_chosen_to_compute_is_told(start: Callable[[list[str]], Any]) -> None:
    serve = ["-m", "rome_backend", "serve"]
    assert start(serve).greet().device == "auto"
    assert start([*serve, "--device", "cpu"]).greet().device == "cpu"


def test_the_log_level_counts(start: Callable[[list[str]], Any]) -> None:
    for level, said in (("info", True), ("warning", False)):
        talk = start(["-m", "rome_backend", "serve", "--log-level", level])
        talk.greet()
        talk.close()
        assert ("rome_backend" in talk.log.read_text()) is said


def test_a_missing_device_is_one_sentence_and_the_backend_lives_on(
    start: Callable[[list[str]], Any],
) -> None:
    talk = start(["-m", "rome_backend", "serve", "--device", "cuda"])
    assert talk.greet().device == "cuda"
    corners = np.zeros((1, 3, 2), np.float32)
    albedo = np.zeros((4, 4, 3), np.uint8)
    sent = SetSurface(7, "a", np.array([[0, 1, 2]], np.int32), corners, albedo)
    if torch.cuda.is_available():
        assert talk.ask(sent) == SurfaceReady(7, "a")
    else:
        failed = talk.ask(sent)
        assert (failed.code, failed.request_id) == ("device_missing", 7)
        assert failed.message.count(".") == 1 and failed.hint
    assert isinstance(talk.ask(frame(8)), FrameReady)


def test_another_protocol_gets_a_welcome_and_then_refusals(fake: Any) -> None:
    answer = fake.ask(Hello(PROTOCOL + 1, "9"))
    assert isinstance(answer, Welcome) and answer.protocol == PROTOCOL
    refusal = fake.ask(DetectFaces(5, "quick"))
    assert (refusal.request_id, refusal.code) == (5, "backend_version")


def test_nothing_is_done_before_hello(start: Callable[[list[str]], Any]) -> None:
    fake = Path(__file__).with_name("fake_backend.py")
    assert start([str(fake)]).ask(DetectFaces(3, "quick")).code == "backend_version"


def test_stray_prints_never_reach_the_wire(fake: Any) -> None:
    assert isinstance(fake.ask(DetectFaces(1, "stray")), FacesFound)
    assert isinstance(fake.ask(DetectFaces(2, "quick")), FacesFound)
    fake.close()
    log = fake.log.read_text()
    assert all(f"stray {way}" in log for way in ("print", "bytes", "child"))


def test_jobs_cannot_eat_messages(fake: Any) -> None:
    assert isinstance(fake.ask(DetectFaces(1, "eat_stdin")), FacesFound)


@pytest.mark.parametrize(
    ("work", "code", "exit_code"),
    [
        ("refuse", "no_face", 3),
        ("bug", "internal_error", 1),
        ("memory", "out_of_memory", 5),
        ("torch_memory", "out_of_memory", 5),
        ("leave", "internal_error", 1),
        ("no such work", "internal_error", 1),
    ],
)
def test_a_failed_job_is_an_answer_and_the_next_works(
    fake: Any, work: str, code: str, exit_code: int
) -> None:
    failed = fake.ask(DetectFaces(1, work))
    assert isinstance(failed, Failed)
    assert (failed.request_id, failed.code, failed.exit_code) == (1, code, exit_code)
    assert failed.message and failed.hint and "--debug" not in failed.hint
    assert isinstance(fake.ask(DetectFaces(2, "quick")), FacesFound)
    if work == "bug":
        fake.close()
        assert "ZeroDivisionError" in fake.log.read_text()


def test_progress_tells_stage_fraction_and_seconds_left(fake: Any) -> None:
    fake.say(DetectFaces(1, "patient"))
    first = fake.wait_for_progress()
    later = first
    while later.stage < "stage 5":
        later = fake.wait_for_progress()
    assert first.stage == "stage 0" and first.request_id == 1
    assert later.fraction > first.fraction
    assert 0 < later.eta_seconds < first.eta_seconds <= 20


def test_a_running_job_is_cancelled_within_a_second(fake: Any) -> None:
    fake.say(DetectFaces(1, "patient"))
    fake.wait_for_progress()
    start = time.perf_counter()
    answer = fake.ask(Cancel(1))
    assert isinstance(answer, Failed) and (answer.request_id, answer.code) == (1, "cancelled")
    assert isinstance(fake.ask(DetectFaces(2, "quick")), FacesFound)
    assert time.perf_counter() - start < 1


def test_a_waiting_job_is_cancelled_and_the_running_one_goes_on(fake: Any) -> None:
    fake.say(DetectFaces(1, "patient"))
    fake.say(DetectFaces(2, "quick"))
    assert (cancelled := fake.ask(Cancel(2))).code == "cancelled" and cancelled.request_id == 2
    assert fake.wait_for_progress().request_id == 1


def test_cancel_of_nothing_is_no_matter(fake: Any) -> None:
    fake.say(Cancel(77))
    assert fake.ask(DetectFaces(1, "quick")).request_id == 1
    fake.say(Cancel(1))
    assert fake.ask(DetectFaces(2, "quick")).request_id == 2


def test_of_viewport_frames_the_newest_wins_and_of_others_none_is_dropped(fake: Any) -> None:
    fake.say(frame(1, viewport=True))
    time.sleep(0.1)  # it runs now; the others wait
    for number in (2, 3):
        fake.say(frame(number, viewport=True))
    fake.say(frame(4))
    fake.say(frame(5))
    fake.say(frame(6, viewport=True))
    answers = {answer.request_id: answer for answer in (fake.hear() for _ in range(6))}
    shown = {number for number, answer in answers.items() if isinstance(answer, FrameReady)}
    assert shown == {1, 4, 5, 6}
    assert {answers[number].code for number in (2, 3)} == {"replaced"}
    assert float(answers[6].combined[3, 7, 3]) == 6.0


def test_messages_that_make_no_sense_are_refused_and_the_talk_goes_on(fake: Any) -> None:
    write_frame(fake.process.stdin, Frame("DetectFaces", {"request_id": 4, "photo": 5}))
    assert (refused := fake.hear()).code == "message_invalid" and refused.request_id == 4
    write_frame(fake.process.stdin, Frame("Dance", {"request_id": 6}))
    assert (refused := fake.hear()).code == "message_unknown" and refused.request_id == 6
    assert fake.ask(CreateAvatar(7, ())).code == "message_unexpected"
    assert isinstance(fake.ask(DetectFaces(8, "quick")), FacesFound)


def test_bytes_that_are_no_frame_end_the_talk(fake: Any) -> None:
    fake.process.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    fake.process.stdin.flush()
    failed = fake.hear()
    assert (failed.request_id, failed.code) == (0, "frame_invalid")
    assert fake.hear() is None
    assert fake.process.wait(5) == 1


@pytest.mark.parametrize("work", ["quick", "patient", "stubborn"])
def test_the_end_of_the_pipe_ends_it_within_a_second(fake: Any, work: str) -> None:
    fake.say(DetectFaces(1, work))
    if work == "quick":
        fake.hear()
    else:
        fake.wait_for_progress()
    code, seconds = fake.close()
    assert code == 0 and seconds < 1


def test_shutdown_ends_it(fake: Any) -> None:
    fake.say(Shutdown())
    assert fake.process.wait(5) == 0


@posix
def test_ctrl_c_is_no_matter(fake: Any) -> None:
    fake.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert isinstance(fake.ask(DetectFaces(1, "quick")), FacesFound)


@posix
@pytest.mark.parametrize("command", [["-m", "rome_backend", "serve"], None])
def test_a_request_to_end_ends_it_at_once(
    start: Callable[[list[str]], Any], fake: Any, command: list[str] | None
) -> None:
    talk = fake if command is None else start(command)
    if command is None:
        talk.say(DetectFaces(1, "stubborn"))
        talk.wait_for_progress()
    else:
        talk.greet()
    talk.process.send_signal(signal.SIGTERM)
    assert talk.process.wait(5) == -signal.SIGTERM


PARENT = """
import subprocess, sys, time
from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import PROTOCOL, DetectFaces, Hello
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
child = subprocess.Popen([sys.executable, sys.argv[1]], **pipes)
for message in (Hello(PROTOCOL, ""), DetectFaces(1, "stubborn")):
    send(child.stdin, message)
    receive(child.stdout)
print(child.pid, flush=True)
time.sleep(60)
"""


@posix
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
def test_it_is_gone_when_its_parent_is_killed(root: Path) -> None:
    fake = Path(__file__).with_name("fake_backend.py")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(fake)], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid, 0.1)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid, 2)


def test_the_log_goes_to_a_file(start: Callable[[list[str]], Any], tmp_path: Path) -> None:
    log = tmp_path / "logs" / "backend.log"
    talk = start(["-m", "rome_backend", "serve", "--log", str(log)])
    talk.greet()
    write_frame(talk.process.stdin, Frame("Dance"))
    assert talk.hear().code == "message_unknown"
    assert talk.close()[0] == 0
    lines = log.read_text().splitlines()
    assert __version__ in lines[0] and any("refused a message" in line for line in lines)
