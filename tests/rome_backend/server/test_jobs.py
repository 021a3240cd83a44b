# SPDX-License-Identifier: Apache-2.0
"""Tests of jobs and their queue: one answer each, order, replacement, cancelling, closing."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from rome_backend.core.errors import Cancelled, PhotoRefused
from rome_backend.core.messages import DetectFaces, Failed, FrameReady, Progress, RenderFrame
from rome_backend.server.jobs import Job, JobQueue, run_job

EYE = np.eye(4)


def job(number: int, viewport: bool | None = None) -> tuple[Job, list[Any]]:
    sent: list[Any] = []
    if viewport is None:
        return Job(DetectFaces(number, "a.jpg"), sent.append), sent
    frame = RenderFrame(number, 1, 1, EYE, EYE, (), (), (), viewport=viewport)
    return Job(frame, sent.append), sent


def test_the_answer_of_the_handler_is_the_answer() -> None:
    one, sent = job(3)
    run_job(one, lambda message, own: FrameReady(message.request_id))
    assert sent == [FrameReady(3)]


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (PhotoRefused("no_face", "No.", "Try."), "no_face", 3),
        (Cancelled(), "cancelled", 130),
        (MemoryError(), "out_of_memory", 5),
        (OSError(28, "No space left on device"), "disk_full", 5),
        (KeyError("x"), "internal_error", 1),
        (SystemExit(3), "internal_error", 1),
        (RecursionError(), "internal_error", 1),
    ],
)
def test_whatever_goes_wrong_is_the_answer(error: BaseException, code: str, exit_code: int) -> None:
    def fails(message: Any, own: Job) -> Any:
        raise error

    one, sent = job(4)
    run_job(one, fails)
    (failed,) = sent
    assert isinstance(failed, Failed)
    assert (failed.request_id, failed.code, failed.exit_code) == (4, code, exit_code)


def test_the_log_says_what_was_done_and_traces_only_what_nobody_foresaw(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(message: Any, own: Job) -> Any:
        if message.request_id == 2:
            raise PhotoRefused("no_face", "No.", "Try.")
        if message.request_id == 3:
            raise KeyError("a bug")
        return FrameReady(message.request_id)

    with caplog.at_level("INFO", "rome_backend.server.jobs"):
        for number in (1, 2, 3):
            run_job(job(number)[0], work)
        run_job(job(4, viewport=True)[0], work)
    done, refused, broken = caplog.records
    assert "DetectFaces took" in done.getMessage()
    assert "no_face" in refused.getMessage() and not refused.exc_info
    assert "internal_error" in broken.getMessage() and broken.exc_info


def test_ctrl_c_and_the_like_are_not_kept_from_the_process() -> None:
    def interrupted(message: Any, own: Job) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_job(job(1)[0], interrupted)


def test_an_answer_that_cannot_be_sent_becomes_a_failure() -> None:
    sent: list[Any] = []

    def send(message: Any) -> None:
        if isinstance(message, FrameReady):
            raise ValueError("too large")
        sent.append(message)

    run_job(Job(DetectFaces(5, "a"), send), lambda message, own: FrameReady(5))
    assert [message.code for message in sent] == ["internal_error"]


def test_cancel_answers_at_once_and_nothing_more_is_said() -> None:
    one, sent = job(6)

    def work(message: Any, own: Job) -> Any:
        own.enter("a")
        own.cancel()
        own.tell()
        with pytest.raises(Cancelled):
            own.check()
        assert own.is_cancelled() and own.seconds_since_cancel() < 5
        return FrameReady(6)

    run_job(one, work)
    assert [type(message) for message in sent] == [Progress, Failed]
    assert sent[1].code == "cancelled" and sent[1].exit_code == 130


def test_cancel_after_the_answer_says_nothing() -> None:
    one, sent = job(7)
    run_job(one, lambda message, own: FrameReady(7))
    one.cancel()
    assert sent == [FrameReady(7)]


def test_jobs_come_out_in_order() -> None:
    queue = JobQueue()
    jobs = [job(number)[0] for number in range(5)]
    for each in jobs:
        queue.put(each)
    assert [queue.take() for _ in jobs] == jobs
    assert queue.running() is jobs[-1]


def test_a_viewport_frame_replaces_waiting_ones_only() -> None:
    queue = JobQueue()
    running, said_running = job(1, viewport=True)
    queue.put(running)
    assert queue.take() is running
    old, said_old = job(2, viewport=True)
    final, said_final = job(3, viewport=False)
    photo, said_photo = job(4)
    new, said_new = job(5, viewport=True)
    for each in (old, final, photo, new):
        queue.put(each)
    assert [message.code for message in said_old] == ["replaced"]
    assert not said_running and not said_final and not said_photo and not said_new
    assert [queue.take() for _ in range(3)] == [final, photo, new]


def test_cancel_takes_a_waiting_job_out_and_marks_a_running_one() -> None:
    queue = JobQueue()
    (first, said_first), (second, said_second), (third, said_third) = job(1), job(2), job(3)
    for each in (first, second, third):
        queue.put(each)
    assert queue.take() is first
    for number in (1, 2, 99):
        queue.cancel(number)
    assert first.is_cancelled() and said_first[0].code == said_second[0].code == "cancelled"
    assert queue.take() is third and not said_third


def test_a_closed_queue_cancels_everything_and_ends() -> None:
    queue = JobQueue()
    (first, _), (second, said_second), (late, said_late) = job(1), job(2), job(3)
    queue.put(first)
    queue.put(second)
    queue.take()
    queue.close()
    queue.put(late)
    assert first.is_cancelled() and said_second[0].code == said_late[0].code == "cancelled"
    assert queue.take() is None


def test_take_waits_for_a_job_and_for_the_end() -> None:
    queue = JobQueue()
    taken: list[Any] = []

    def work() -> None:
        while (one := queue.take()) is not None:
            taken.append(one.request_id)
        taken.append("end")

    thread = threading.Thread(target=work)
    thread.start()
    queue.put(job(1)[0])
    queue.put(job(2)[0])
    while len(taken) < 2:
        pass
    queue.close()
    thread.join(5)
    assert taken == [1, 2, "end"]
