# SPDX-License-Identifier: Apache-2.0
"""Tests of core/atomic_file.py: whole or not at all, and nothing left behind.

Does not know any file format.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from rome_backend.core.atomic_file import replacing
from rome_backend.core.errors import OutOfResources, UsageError


def test_the_file_appears_at_the_end_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with replacing(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_an_error_inside_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutOfResources) as caught, replacing(tmp_path / "a.bin") as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.code == "disk_full" and caught.value.exit_code == 5
    assert os.listdir(tmp_path) == []


def test_an_absent_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught, replacing(tmp_path / "absent" / "a.bin"):
        pass
    assert caught.value.code == "cannot_write" and caught.value.hint


def test_a_folder_in_the_way_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(UsageError), replacing(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_very_long_name_still_works(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 250)
    with replacing(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with replacing(tmp_path / "ours") as file:
        file.write(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode
