# SPDX-License-Identifier: GPL-3.0-or-later
"""Files appear together or not at all, and old ones survive a failure."""

from __future__ import annotations

import os

import pytest

from blender_addon.core_access import RomeError
from blender_addon.exporters.place import place, staging


def _staged(folder, **files):
    for name, text in files.items():
        (folder / name).write_text(text)
    return [folder / name for name in files]


def test_files_move_and_the_staging_folder_goes(tmp_path):
    (tmp_path / "b").write_text("old")
    with staging(tmp_path / "b") as folder:
        assert folder.parent == tmp_path  # a rename must not cross file systems
        placed = place(_staged(folder, a="1", b="2"), tmp_path)
    assert placed == [tmp_path / "a", tmp_path / "b"]
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "1", "b": "2"}


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(ValueError), staging(tmp_path / "b") as folder:
        _staged(folder, a="half")
        raise ValueError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", (1, 2, 3))
def test_a_failure_while_placing_puts_everything_back(tmp_path, monkeypatch, failing):
    (tmp_path / "b").write_text("old b")
    (tmp_path / "c").write_text("old c")
    moved = []

    def move(source, target):
        moved.append(target)
        if len(moved) == failing:
            raise OSError(28, "No space left on device")
        rename(source, target)

    rename = os.replace
    monkeypatch.setattr("blender_addon.exporters.place.os.replace", move)
    with pytest.raises(RomeError) as caught, staging(tmp_path / "c") as folder:
        place(_staged(folder, a="1", b="2", c="3"), tmp_path)
    assert caught.value.code == "cannot_write" and "No space left" in caught.value.message
    found = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert found == {"b": "old b", "c": "old c"}


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(RomeError) as caught, staging(tmp_path / "none" / "Ada.glb"):
        pass
    assert caught.value.code == "cannot_write" and caught.value.hint
    assert str(tmp_path) not in caught.value.message
