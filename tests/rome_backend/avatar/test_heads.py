# SPDX-License-Identifier: Apache-2.0
"""Tests of choosing a head model: built in, imported, from a file, or missing.

Knows no photo; FLAME's own loading is tested where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rome_backend.assets.store import AssetStore
from rome_backend.avatar import heads
from rome_backend.core.errors import AssetMissing, FileInvalid, UsageError
from rome_backend.core.head_model import save_head_model
from rome_backend.core.types import HeadModel


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty home for model files, and no head remembered from another test."""
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    heads.load_head.cache_clear()
    yield
    heads.load_head.cache_clear()


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch, small_head: HeadModel) -> list[list[str]]:
    """Stands in for loading FLAME and the open head; notes in which order files were given."""
    seen: list[list[str]] = []

    def load(model: Path, expressions: Path, head: HeadModel) -> HeadModel:
        seen.append([model.name, expressions.name])
        return small_head

    monkeypatch.setattr(heads.flame_open, "load_flame_open", load)
    monkeypatch.setattr(heads, "open_head", lambda cache: small_head)
    return seen


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    np.savez(tmp_path / "model.npz", v_template=np.zeros(3))
    np.savez(tmp_path / "expressions.npz", exprdirs=np.zeros(3))
    return tmp_path / "model.npz", tmp_path / "expressions.npz"


def test_a_head_from_a_file_comes_with_its_basis(tmp_path: Path, small_head: HeadModel) -> None:
    save_head_model(small_head, tmp_path / "small.safetensors")
    head, basis = heads.load_head(str(tmp_path / "small.safetensors"))
    assert head.topology_id == small_head.topology_id
    assert basis.dirs.shape == (*small_head.template.shape, 60)
    assert heads.load_head(str(tmp_path / "small.safetensors"))[0] is head


@pytest.mark.parametrize("choice", ["flame", "no/such/file"])
def test_a_head_that_is_not_there_is_exit_code_4(choice: str) -> None:
    with pytest.raises(AssetMissing) as caught:
        heads.load_head(choice)
    assert caught.value.code == "head_model_missing" and caught.value.exit_code == 4
    assert "open" in caught.value.hint


@pytest.mark.parametrize("turned", [False, True])
def test_flame_is_imported_in_any_order_and_then_loads(
    imported: list[list[str]], files: tuple[Path, Path], small_head: HeadModel, turned: bool
) -> None:
    record = heads.import_flame(files[::-1] if turned else files)
    assert imported == [["model.npz", "expressions.npz"]]
    assert record.licence == small_head.licence
    assert [entry.name for entry in AssetStore().list()] == ["flame-2023-open"]
    assert heads.load_head("flame")[0].topology_id == small_head.topology_id


def test_one_file_is_not_enough(imported: list[list[str]], files: tuple[Path, Path]) -> None:
    for wrong in (files[:1], files[1:], (files[0], files[0])):
        with pytest.raises(UsageError):
            heads.import_flame(wrong)
    assert not AssetStore().list()


def test_a_file_that_is_no_npz_is_said(tmp_path: Path, files: tuple[Path, Path]) -> None:
    (tmp_path / "x.npz").write_text("no")
    with pytest.raises(FileInvalid) as caught:
        heads.import_flame([tmp_path / "x.npz", files[1]])
    assert "x.npz" in caught.value.message


def test_an_imported_head_that_was_damaged_is_not_used(
    imported: list[list[str]], files: tuple[Path, Path]
) -> None:
    heads.import_flame(files)
    store = AssetStore()
    path = store.folder / store.record("flame-2023-open").file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AssetMissing):
        heads.load_head("flame")
