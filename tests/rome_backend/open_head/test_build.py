# SPDX-License-Identifier: Apache-2.0
"""The generated head model and its cache: valid, repeatable, remade when damaged or outdated.

Does not know where users keep caches.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from rome_backend.core.head_model import check_head_model, load_head_model, save_head_model
from rome_backend.core.types import JOINTS, HeadModel
from rome_backend.open_head import build
from rome_backend.open_head.build import open_head, source_hash


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, head: HeadModel) -> list[int]:
    """Replaces the generator by one that counts its calls."""
    calls: list[int] = []

    def generate() -> HeadModel:
        calls.append(1)
        return head

    monkeypatch.setattr(build, "generate", generate)
    return calls


def assert_same(a: HeadModel, b: HeadModel) -> None:
    for name, value in vars(a).items():
        other = getattr(b, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other, err_msg=name)
        elif isinstance(value, str | tuple):
            assert value == other
    assert set(a.regions) == set(b.regions)
    for name, mask in a.regions.items():
        np.testing.assert_array_equal(mask, b.regions[name])


def test_head_is_valid_and_complete(head: HeadModel) -> None:
    check_head_model(head)
    assert 5023 < len(head.template) < 10_000
    assert head.faces.max() == len(head.template) - 1
    assert head.joint_names == JOINTS
    assert head.pose_dirs.shape == (len(head.template), 3, 36)
    assert head.shape_dirs.shape[2] >= 10
    assert len(head.expression_names) >= 33
    assert head.topology_id.startswith("open-head-")
    assert head.licence == "Apache-2.0"


def test_same_head_every_time(head: HeadModel) -> None:
    assert_same(build.generate(), head)


def test_file_round_trip(head: HeadModel, tmp_path: Path) -> None:
    save_head_model(head, tmp_path / "head.safetensors")
    assert_same(load_head_model(tmp_path / "head.safetensors"), head)


def test_second_call_reads_the_file(counted: list[int], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cache"
    first, second = open_head(folder), open_head(folder)
    assert len(counted) == 1
    assert_same(first, second)
    assert len(list(folder.iterdir())) == 1


def test_without_a_folder_nothing_is_kept(counted: list[int]) -> None:
    open_head()
    open_head()
    assert len(counted) == 2


@pytest.mark.parametrize("content", [b"", b"not a tensor file", None])
def test_damaged_file_is_remade_with_a_warning(
    counted: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    open_head(tmp_path)
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()
    file.write_bytes(good[: len(good) // 2] if content is None else content)
    with caplog.at_level(logging.WARNING):
        open_head(tmp_path)
    assert len(counted) == 2
    assert "damaged" in caplog.text
    assert file.read_bytes() == good


def test_changed_sources_make_another_file(
    counted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_head(tmp_path)
    monkeypatch.setattr(build, "source_hash", lambda: "f" * 64)
    open_head(tmp_path)
    assert len(counted) == 2
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["ears.py", "mean_face.npy", "mediapipe_mesh.npz"])
def test_hash_covers_code_and_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    package = Path(build.__file__).parent
    copy = tmp_path / "open_head"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(build, "__file__", str(copy / "build.py"))
    before = source_hash()
    with (copy / name).open("ab") as file:
        file.write(b"\n")
    assert source_hash() != before


def test_hash_ignores_everything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_hash()
    package = Path(build.__file__).parent
    copy = tmp_path / "open_head"
    shutil.copytree(package, copy)
    (copy / "notes.txt").write_text("nothing")
    monkeypatch.setattr(build, "__file__", str(copy / "build.py"))
    assert source_hash() == before


def test_folder_that_cannot_be_made_costs_only_time(
    counted: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture, head: HeadModel
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        assert_same(open_head(blocked / "cache"), head)
    assert "could not be cached" in caplog.text


def test_nothing_half_written_is_left(
    counted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    open_head(tmp_path)
    assert list(tmp_path.iterdir()) == []
