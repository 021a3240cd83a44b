# SPDX-License-Identifier: Apache-2.0
"""Records of a run: what a resumed run keeps, and what one process alone averages."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.journal import Journal, read_losses
from training.processes import Processes, joined


def test_a_resumed_run_takes_out_what_comes_again(tmp_path: Path) -> None:
    first = Journal(tmp_path, 0)
    for step in range(4):
        first.losses(step, {"total": float(step)})
    first.close()
    second = Journal(tmp_path, 2)
    assert [row["step"] for row in read_losses(tmp_path)] == [0, 1]
    second.losses(2, {"total": 20.0})
    second.pictures(2, torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8))
    second.close()
    assert [row["total"] for row in read_losses(tmp_path)] == [0.0, 1.0, 20.0]


def test_no_records_are_no_losses(tmp_path: Path) -> None:
    assert read_losses(tmp_path) == []


def test_one_process_is_alone_and_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(torch.device("cpu")) as processes:
        assert processes == Processes(1, 0, torch.device("cpu")) and processes.first
        assert processes.averaged({"a": 0.1}) == {"a": 0.1}
    assert not Processes(2, 1, torch.device("cpu")).first
