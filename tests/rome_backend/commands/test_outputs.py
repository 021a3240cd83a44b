# SPDX-License-Identifier: Apache-2.0
"""Tests of OUT: what it means, and that its files appear all together or not at all.

Uses the small avatar; no photo, no bpy.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rome_backend.avatar.avatar import load_avatar
from rome_backend.commands import outputs
from rome_backend.commands.outputs import (
    export_rig,
    files_for,
    is_file_name,
    require_writable,
    staged,
    write_avatar,
)
from rome_backend.core.errors import UsageError
from rome_backend.core.types import Avatar, HeadModel, OffsetBasis
from rome_backend.export.rig_arrays import rig_arrays


@pytest.fixture
def heads(
    monkeypatch: pytest.MonkeyPatch, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    monkeypatch.setattr(outputs, "load_head", lambda choice: (small_head, small_basis))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("ending", [".rome", ".blend", ".glb", ".obj", ".GLB"])
def test_known_endings_are_files(tmp_path: Path, ending: str) -> None:
    assert is_file_name(tmp_path / f"a{ending}")


def test_other_names_are_folders_or_errors(tmp_path: Path) -> None:
    assert not is_file_name(tmp_path / "heads")
    (tmp_path / "v1.2").mkdir()
    assert not is_file_name(tmp_path / "v1.2")
    with pytest.raises(UsageError) as caught:
        is_file_name(tmp_path / "head.fbx")
    assert caught.value.code == "unknown_ending" and ".blend" in caught.value.hint


def test_the_avatar_file_always_comes_first(tmp_path: Path) -> None:
    assert files_for(tmp_path / "x.rome", "p") == [tmp_path / "x.rome"]
    assert files_for(tmp_path / "x.glb", "p") == [tmp_path / "x.rome", tmp_path / "x.glb"]
    folder = [path.name for path in files_for(tmp_path / "x", "p")]
    assert folder == ["p.rome", "p.blend", "p.glb"]


def test_files_are_written_and_an_obj_names_its_companions(
    tmp_path: Path, small_avatar: Avatar, heads: None
) -> None:
    wanted = [tmp_path / "new" / f"a{ending}" for ending in (".rome", ".glb", ".obj")]
    written = write_avatar(small_avatar, wanted)
    assert sorted(path.name for path in written) == names(tmp_path / "new")
    assert {".mtl", ".png"} <= {path.suffix for path in written}
    assert load_avatar(wanted[0]).name == "small"
    assert wanted[1].read_bytes()[:4] == b"glTF"


def test_a_failing_export_leaves_nothing_at_all(
    tmp_path: Path, small_avatar: Avatar, heads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(rig: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "export_rig", broken)
    folder = tmp_path / "a" / "b"
    with pytest.raises(KeyboardInterrupt):
        write_avatar(small_avatar, [folder / "x.rome", folder / "x.glb"])
    assert names(tmp_path) == []


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "x.rome").write_text("old")
    with pytest.raises(RuntimeError), staged(tmp_path) as stage:
        (stage / "x.rome").write_text("new")
        raise RuntimeError
    assert names(tmp_path) == ["x.rome"]
    assert (tmp_path / "x.rome").read_text() == "old"


def test_success_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "x.rome").write_text("old")
    with staged(tmp_path) as stage:
        (stage / "x.rome").write_text("new")
        assert (tmp_path / "x.rome").read_text() == "old"
    assert names(tmp_path) == ["x.rome"]
    assert (tmp_path / "x.rome").read_text() == "new"


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError) as caught, staged(tmp_path / "out" / "deeper"):
        pass
    assert caught.value.code == "not_a_folder"


@pytest.mark.skipif(os.name != "posix", reason="folders are closed by mode bits")
def test_a_closed_folder_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs.os, "access", lambda path, mode: path != tmp_path)
    for folder in (tmp_path, tmp_path / "new" / "deeper"):
        with pytest.raises(UsageError) as caught:
            require_writable(folder)
        assert caught.value.code == "cannot_write"
    assert names(tmp_path) == []


def test_unknown_exports_are_refused(
    tmp_path: Path, small_avatar: Avatar, small_head: HeadModel, small_basis: OffsetBasis
) -> None:
    rig = rig_arrays(small_head, small_basis, small_avatar)
    with pytest.raises(UsageError):
        export_rig(rig, tmp_path / "x.fbx")
