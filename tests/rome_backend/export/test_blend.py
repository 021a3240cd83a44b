# SPDX-License-Identifier: Apache-2.0
"""The .blend comes whole or not at all, and each failure says what to do.

Does not know how the head is built; the real child runs once, the others are stand-ins.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from rome_backend.core.errors import AssetMissing, Cancelled, RomeError, UsageError
from rome_backend.export import blend

posix_only = pytest.mark.skipif(os.name != "posix", reason="the stand-in child is a shell script")


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Let a shell script be the Python with bpy. $4 is the root, $5 the rig,
    $6 the .blend."""

    def install(script: str) -> Path:
        path = tmp_path / "python-with-bpy"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(blend.PYTHON_VARIABLE, str(path))
        return path

    return install


def left_behind(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != "python-with-bpy")


@pytest.mark.skipif(find_spec("bpy") is None, reason="the bpy wheel is not installed")
def test_a_blend_is_written_compressed_with_progress(rig, tmp_path, monkeypatch):
    """The real child, started with a hostile environment and from a folder that shadows it."""
    monkeypatch.delenv(blend.PYTHON_VARIABLE, raising=False)
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blender_addon.py").write_text("raise SystemExit('shadowed')")
    seen = []
    path = tmp_path / "out" / "Ada.blend"
    path.parent.mkdir()
    blend.write_blend(rig, path, lambda stage, fraction: seen.append((stage, fraction)))
    assert path.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"  # zstd: Blender's compressed files
    assert left_behind(path.parent) == ["Ada.blend"]
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert {stage for stage, _ in seen} == {blend.STAGE}


@posix_only
def test_the_child_gets_the_root_and_no_python_variables(
    rig, tmp_path, stand_in, monkeypatch, root
):
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    stand_in('{ echo "$4"; env | grep -c ^PYTHON; cd / && test -s "$5" && echo rig; } > "$6"')
    path = tmp_path / "a.blend"
    blend.write_blend(rig, path)
    assert path.read_text().split("\n")[:3] == [str(root), "0", "rig"]


@posix_only
def test_failure_reports_the_last_line_and_keeps_the_old_file(rig, tmp_path, stand_in):
    stand_in("echo building; echo 'RuntimeError: no more bones' >&2; echo; exit 1")
    path = tmp_path / "a.blend"
    path.write_bytes(b"old")
    with pytest.raises(RomeError) as caught:
        blend.write_blend(rig, path)
    assert caught.value.code == "blend_failed" and caught.value.exit_code == 1
    assert "RuntimeError: no more bones" in caught.value.message and caught.value.hint
    assert path.read_bytes() == b"old" and left_behind(tmp_path) == ["a.blend"]


@posix_only
def test_success_without_a_file_is_a_failure(rig, tmp_path, stand_in):
    stand_in("exit 0")
    with pytest.raises(RomeError, match="it said nothing"):
        blend.write_blend(rig, tmp_path / "a.blend")


@posix_only
def test_a_python_without_bpy_is_a_missing_asset(rig, tmp_path, stand_in):
    stand_in("echo \"ModuleNotFoundError: No module named 'bpy'\" >&2; exit 1")
    with pytest.raises(AssetMissing) as caught:
        blend.write_blend(rig, tmp_path / "a.blend")
    assert caught.value.code == "blender_missing" and "pip install bpy" in caught.value.hint


@pytest.mark.parametrize("chosen", ["/nowhere/python", os.path.dirname(sys.executable)])
def test_a_wrong_choice_of_python_is_named(rig, tmp_path, monkeypatch, chosen):
    monkeypatch.setenv(blend.PYTHON_VARIABLE, chosen)
    with pytest.raises(AssetMissing) as caught:
        blend.write_blend(rig, tmp_path / "a.blend")
    assert caught.value.exit_code == 4 and chosen in caught.value.message


def test_no_bpy_anywhere(rig, tmp_path, monkeypatch):
    monkeypatch.delenv(blend.PYTHON_VARIABLE, raising=False)
    monkeypatch.setattr(blend, "find_spec", lambda name: None)
    with pytest.raises(AssetMissing) as caught:
        blend.write_blend(rig, tmp_path / "a.blend")
    assert caught.value.code == "blender_missing" and blend.PYTHON_VARIABLE in caught.value.hint


@posix_only
def test_cancelling_ends_the_child_at_once(rig, tmp_path, stand_in):
    pid_file = tmp_path / "pid"
    stand_in(f'echo $$ > "{pid_file}"; exec sleep 60')

    def cancel(stage: str, fraction: float) -> None:
        if pid_file.exists() and pid_file.read_text().strip():
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(Cancelled):
        blend.write_blend(rig, tmp_path / "a.blend", cancel)
    assert time.monotonic() - started < 20.0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert left_behind(tmp_path) == ["pid"]


@posix_only
def test_an_unwritable_target_is_a_usage_error(rig, tmp_path, stand_in):
    stand_in('echo made > "$6"')
    with pytest.raises(UsageError) as caught:
        blend.write_blend(rig, tmp_path / "absent" / "a.blend")
    assert caught.value.code == "cannot_write"
