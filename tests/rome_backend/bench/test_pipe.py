# SPDX-License-Identifier: Apache-2.0
"""Tests of the pipe's bench: whole, plausible numbers, and its exit code."""

from __future__ import annotations

import json

import pytest

from rome_backend.bench import pipe
from rome_backend.bench.pipe import Child, bench_pipe
from rome_backend.cli import main
from rome_backend.core.message_codec import receive, send
from rome_backend.core.messages import Progress


def test_every_way_is_measured_and_messages_cost_more_than_nothing() -> None:
    found = bench_pipe(16, 3)
    assert found["bytes"] == 16 * 16 * 16 and found["rounds"] == 3
    assert all(found[name] > 0 for name in found if name.endswith("_ms"))
    ratio = found["frame_ms"] / found["bare_frame_ms"]
    assert found["frame_ratio"] == pytest.approx(ratio, rel=0.1)


def test_the_echo_is_a_process_that_ends_with_its_pipe() -> None:
    with Child("echo") as child:
        send(child.writing, Progress(1, "a", 0.5))
        assert receive(child.reading) == Progress(1, "a", 0.5)
        process = child._child
        assert process.poll() is None
    assert process.returncode == 0


def test_a_missed_limit_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "pipe", "--size", "8", "--rounds", "1", "--json", "--check"]
    monkeypatch.setattr(pipe, "LIMIT_MS", 0.0)
    assert main(command) == 1
    said = capfd.readouterr()
    assert json.loads(said.out)["size"] == 8 and "missed" in said.err
    monkeypatch.setattr(pipe, "LIMIT_MS", 1e6)
    assert main(command) == 0


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--size", "0"], ["--size", "9000"]])
def test_numbers_that_make_no_sense_are_usage_errors(wrong: list[str]) -> None:
    assert main(["bench", "pipe", *wrong]) == 2
