# SPDX-License-Identifier: Apache-2.0
"""Threads that sleep while they wait: set in time or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rome_backend
from rome_backend.inference.threads import sleep_while_waiting

TOLD = "from rome_backend.inference.threads import sleep_while_waiting; import os, sys;"


def fresh(program: str, **settings: str) -> list[str]:
    """Run a program in a fresh Python; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment["PYTHONPATH"] = str(Path(rome_backend.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", TOLD + program], capture_output=True, text=True,
        env=environment | settings, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_it_is_set_before_torch_is_there() -> None:
    told = fresh(
        "print(sleep_while_waiting(), os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    )
    assert told == ["True", "passive", "False"]


def test_what_somebody_chose_stays() -> None:
    told = fresh(
        "print(sleep_while_waiting(), os.environ['OMP_WAIT_POLICY'])", OMP_WAIT_POLICY="active"
    )
    assert told == ["False", "active"]


def test_too_late_is_said_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "torch" in sys.modules or __import__("torch")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert not sleep_while_waiting() and "OMP_WAIT_POLICY" not in os.environ
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    assert sleep_while_waiting()


def test_rome_render_asks_for_it(tmp_path: Path) -> None:
    program = (
        "from rome_backend.cli import main;"
        f"code = main(['render', {str(tmp_path / 'no.rome')!r}, '-o', 'x.png', '--quiet']);"
        "print(code, os.environ['OMP_WAIT_POLICY'])"
    )
    assert fresh(program) == ["1", "passive"]
