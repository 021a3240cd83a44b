# SPDX-License-Identifier: Apache-2.0
"""Tests of judging runs on odd files, and of measuring child processes.

Makes no heads: it runs only tiny Python children.
"""

from __future__ import annotations

import json
import sys

import pytest

from rome_backend.bench.negatives import outcome_of, parsed, problems_of
from rome_backend.bench.processes import ChildResult, own_peak_mib, run_child

ERROR = {"code": "no_face", "message": "No face.", "hint": "Another photo."}
MADE = {"outputs": ["x.rome"], "warnings": []}


def child(code: int = 0, stderr: str = "", peak: float | None = 300.0) -> ChildResult:
    return ChildResult(code, "", stderr, 1.0, peak)


@pytest.mark.parametrize(
    ("code", "payload", "outcome"),
    [
        (0, MADE, "ok"),
        (0, {**MADE, "warnings": ["dark"]}, "warn"),
        (0, {}, "crash"),
        (3, {"error": ERROR}, "refuse"),
        (3, {}, "crash"),
        (1, {"error": ERROR}, "crash"),
        (-9, {}, "crash"),
    ],
)
def test_outcomes(code: int, payload: dict, outcome: str) -> None:
    assert outcome_of(code, payload) == outcome


@pytest.mark.parametrize("text", ["", "[]", "noise\n{}", "{} {}", "nan?"])
def test_stdout_must_be_one_object(text: str) -> None:
    assert parsed(text) == {}


def test_a_good_run_has_no_problems() -> None:
    assert problems_of(child(), MADE, "ok", ["ok"], ["out"]) == []
    assert problems_of(child(3), {"error": ERROR}, "refuse", ["warn", "refuse"], []) == []


@pytest.mark.parametrize(
    ("result", "payload", "outcome", "left", "word"),
    [
        (child(), MADE, "ok", [], "allowed"),
        (child(3, "Traceback (most"), {"error": ERROR}, "refuse", [], "traceback"),
        (child(3, peak=2000.0), {"error": ERROR}, "refuse", [], "MiB"),
        (child(3), {"error": {**ERROR, "hint": ""}}, "refuse", [], "next step"),
        (child(3), {"error": ERROR}, "refuse", ["out/.tmp"], "behind"),
    ],
)
def test_each_fault_is_a_problem(
    result: ChildResult, payload: dict, outcome: str, left: list[str], word: str
) -> None:
    (problem,) = problems_of(result, payload, outcome, ["refuse"], left)
    assert word in problem


def test_a_child_is_measured() -> None:
    code = "import sys, json; b = b'x' * (400 << 20); print(json.dumps({'a': 1})); sys.exit(3)"
    large = run_child([sys.executable, "-c", code], 60)
    assert large.code == 3
    assert json.loads(large.stdout) == {"a": 1}
    assert large.peak_mib is None or 400 < large.peak_mib < 8000


def test_a_child_that_never_ends_is_killed() -> None:
    result = run_child([sys.executable, "-c", "while True: pass"], 0.3)
    assert result.code != 0
    assert result.seconds < 30


def test_our_own_peak_is_plausible() -> None:
    peak = own_peak_mib()
    assert peak is None or 20 < peak < 20_000
