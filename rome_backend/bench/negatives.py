# SPDX-License-Identifier: Apache-2.0
"""`bench negatives`: every odd or broken file in a process of its own, against what is expected.

Does not know how a photo is judged.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rome_backend.bench.dataset import expected_negatives
from rome_backend.bench.processes import ChildResult, run_child

FOLDER = "negatives/"
PEAK_LIMIT_MIB = 1536
SECONDS_LIMIT = 180
REFUSED = 3
Progress = Callable[[str, float], None]


def bench_negatives(data: Path, only: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Run `rome create` on every file of negatives/ and return the bench's JSON payload."""
    expected = {
        name.removeprefix(FOLDER): outcomes
        for name, outcomes in expected_negatives(data).items()
        if name.startswith(FOLDER)
    }
    names = [name for name in expected if not only or name in only or Path(name).stem in only]
    files = []
    for index, name in enumerate(names):
        progress(name, index / len(names))
        files.append(_run(data / FOLDER / name, expected[name]))
    passed = sum(1 for file in files if not file["problems"])
    return {"files": files, "passed": passed, "failed": len(files) - passed}


def _run(photo: Path, allowed: Sequence[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="rome-bench-") as folder:
        out = Path(folder) / "out" / "head.rome"
        command = [sys.executable, "-m", "rome_backend", "create", str(photo), "-o", str(out)]
        child = run_child([*command, "--json", "--quiet"], SECONDS_LIMIT)
        left = sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))
    payload = parsed(child.stdout)
    outcome = outcome_of(child.code, payload)
    problems = problems_of(child, payload, outcome, allowed, left)
    return {
        "name": photo.name,
        "outcome": outcome,
        "allowed": list(allowed),
        "problems": problems,
        "exit_code": child.code,
        "warnings": payload.get("warnings", []),
        "error": payload.get("error"),
        "seconds": round(child.seconds, 2),
        "peak_mib": None if child.peak_mib is None else round(child.peak_mib),
    }


def parsed(stdout: str) -> dict[str, Any]:
    """Return the one JSON object of stdout, or nothing when it is not exactly that."""
    try:
        payload = json.loads(stdout)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def outcome_of(code: int, payload: dict[str, Any]) -> str:
    """Return ok, warn, refuse or crash for an exit code and its JSON result."""
    if code == 0 and payload.get("outputs"):
        return "warn" if payload.get("warnings") else "ok"
    return "refuse" if code == REFUSED and "error" in payload else "crash"


def problems_of(
    child: ChildResult,
    payload: dict[str, Any],
    outcome: str,
    allowed: Sequence[str],
    left: Sequence[str],
) -> list[str]:
    """Return a sentence for everything about a run that must not be."""
    problems = []
    if outcome not in allowed:
        problems.append(f"ended as {outcome}, allowed: {', '.join(allowed)}")
    if "Traceback" in child.stderr:
        problems.append("showed a traceback")
    if child.peak_mib is not None and child.peak_mib > PEAK_LIMIT_MIB:
        problems.append(f"used {child.peak_mib:.0f} MiB (at most {PEAK_LIMIT_MIB})")
    if outcome == "refuse":
        error = payload["error"]
        if not all(error.get(part) for part in ("code", "message", "hint")):
            problems.append("refused without code, sentence or next step")
        if left:
            problems.append(f"left {left[0]!r} behind")
    return problems
