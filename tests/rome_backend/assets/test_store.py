# SPDX-License-Identifier: Apache-2.0
"""Tests of rome_backend.assets.store."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rome_backend.assets.store import AssetStore, cache_dir
from rome_backend.core.errors import AssetMissing, FileInvalid, UsageError


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore(tmp_path / "assets")


def test_rome_home_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROME_HOME", str(tmp_path))
    assert cache_dir() == tmp_path
    assert AssetStore().folder == tmp_path / "assets"


def test_without_rome_home_it_is_a_folder_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROME_HOME", raising=False)
    assert "rome" in cache_dir().parts
    assert cache_dir().is_absolute()


def test_what_is_added_can_be_read_listed_and_verified(store: AssetStore) -> None:
    record = store.add("model", "model.bin", b"weights", "MIT", "made here")
    assert record.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert record.size == 7
    assert store.verify("model").read_bytes() == b"weights"
    assert store.record("model") == record
    store.add("another", "another.bin", b"x", "MIT", "made here")
    assert [r.name for r in store.list()] == ["another", "model"]


def test_an_empty_store_lists_nothing_and_creates_nothing(store: AssetStore) -> None:
    assert store.list() == []
    assert not store.folder.exists()


def test_adding_again_replaces(store: AssetStore) -> None:
    store.add("model", "model.bin", b"old", "MIT", "a")
    store.add("model", "model.bin", b"newer", "MIT", "b")
    assert store.verify("model").read_bytes() == b"newer"
    assert [r.source for r in store.list()] == ["b"]


def test_removing_leaves_nothing(store: AssetStore) -> None:
    store.add("model", "model.bin", b"weights", "MIT", "made here")
    store.remove("model")
    assert list(store.folder.iterdir()) == []
    with pytest.raises(AssetMissing) as caught:
        store.remove("model")
    assert caught.value.code == "asset_missing"
    assert caught.value.exit_code == 4


def test_a_changed_file_is_noticed(store: AssetStore) -> None:
    store.add("model", "model.bin", b"weights", "MIT", "made here")
    (store.folder / "model.bin").write_bytes(b"wEights")
    with pytest.raises(AssetMissing) as caught:
        store.verify("model")
    assert caught.value.code == "asset_damaged"
    assert "rome assets remove model" in caught.value.hint


def test_a_deleted_file_is_noticed(store: AssetStore) -> None:
    store.add("model", "model.bin", b"weights", "MIT", "made here")
    (store.folder / "model.bin").unlink()
    with pytest.raises(AssetMissing) as caught:
        store.verify("model")
    assert caught.value.code == "asset_missing"


@pytest.mark.parametrize(
    "name", ["", "../model", "a/b", "Model", ".hidden", "a\\b", "x" * 101, "a.record.json"]
)
def test_names_that_are_no_plain_names_are_refused(store: AssetStore, name: str) -> None:
    for asset, file in ((name, "model.bin"), ("model", name)):
        with pytest.raises(UsageError) as caught:
            store.add(asset, file, b"", "MIT", "made here")
        assert caught.value.code == "asset_name_invalid"
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"name": "model"}',
        json.dumps(
            {
                "name": "model",
                "file": "../../etc/passwd",
                "sha256": "",
                "licence": "",
                "source": "",
                "size": 0,
            }
        ),
    ],
)
def test_a_damaged_record_is_an_error_and_nothing_is_followed(store: AssetStore, text: str) -> None:
    store.folder.mkdir(parents=True)
    (store.folder / "model.record.json").write_text(text)
    for action in (store.list, lambda: store.verify("model"), lambda: store.remove("model")):
        with pytest.raises(FileInvalid) as caught:
            action()
        assert caught.value.code == "asset_record_invalid"


def test_many_at_once_lose_nothing(store: AssetStore) -> None:
    names = [f"model-{n}" for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.add(n, n, n.encode(), "MIT", "made here"), names))
    assert {r.name for r in store.list()} == set(names)
    assert all(store.verify(n).read_bytes() == n.encode() for n in names)
