# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of `prepare` and `synthesize`: the next run ends with the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.data.clips import ClipRules
from training.data.instruments import Instruments
from training.data.prepare import prepare, recordings_in
from training.data.shards import MANIFEST

PROGRAM = Path(__file__).with_name("killed_process.py")
ROOT = PROGRAM.parents[3]
RULES = ClipRules(every=1, pairs=1)
FIRST_MANIFEST, SECOND_SHARD = 2, 3  # files are written in this order: shard, manifest, shard ...


def start(arguments: list[str], kill_at: int | None = None) -> subprocess.Popen[bytes]:
    program = ["-m", "training"] if kill_at is None else [str(PROGRAM), str(kill_at)]
    return subprocess.Popen(
        [sys.executable, *program, *arguments, "--json", "--quiet"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def finish(arguments: list[str]) -> dict:
    process = start(arguments)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return json.loads(out)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("kill_at", [FIRST_MANIFEST, SECOND_SHARD])
def test_synthesize_killed_while_it_writes(tmp_path: Path, kill_at: int) -> None:
    options = ["synthesize", "-n", "3", "--per-shard", "1", "--side", "16", "--seed", "5", "-o"]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    process = start([*options, str(broken)], kill_at)
    assert process.wait(300) == -signal.SIGKILL
    left = contents(broken)
    assert any(name.endswith(".tmp") for name in left)  # half a file, under another name
    assert (MANIFEST in left) == (kill_at == SECOND_SHARD)
    result = finish([*options, str(broken)])
    assert result["made"] == (2 if kill_at == SECOND_SHARD else 3)
    finish([*options, str(whole)])
    assert contents(broken) == contents(whole)
    assert sorted(contents(whole)) == [MANIFEST, *(f"shard-00000{n}.tar" for n in range(3))]


def _ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.timeout(400)
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked up in /proc")
def test_prepare_killed_while_it_writes(
    tmp_path: Path, short_clip: Path, instruments: Instruments
) -> None:
    """Two videos and a bad one; the first is kept, the worker ends with its parent, and the bytes
    are those of a run that nobody killed and that had no other process."""
    videos, broken, whole = (tmp_path / name for name in ("videos", "broken", "whole"))
    videos.mkdir()
    (videos / "b.mp4").write_bytes(b"no video")
    for name in ("a.mp4", "c.mp4"):
        (videos / name).symlink_to(short_clip)
    options = ["prepare", str(videos), "--side", "32", "--every", "1", "--pairs", "1", "-o"]
    # Files: shard of a, manifest, manifest without a shard for b, shard of c.
    process = start([*options, str(broken)], 4)
    children: set[int] = set()
    while process.poll() is None:
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        children |= {int(pid) for pid in listed.read_text().split()} if listed.exists() else set()
        time.sleep(0.1)
    assert process.returncode == -signal.SIGKILL and children
    left = contents(broken)
    assert {name for name in left if not name.endswith(".tmp")} == {MANIFEST, "shard-000000.tar"}
    deadline = time.monotonic() + 20
    while not all(map(_ended, children)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert all(map(_ended, children))
    again = finish([*options, str(broken)])
    assert again["skipped"] == {"b.mp4": "clip_unreadable"} and again["samples"] == 2
    prepare(recordings_in(videos), whole, instruments, RULES, 32)
    assert contents(broken) == contents(whole)
    assert contents(broken)["shard-000000.tar"] == left["shard-000000.tar"]
