# SPDX-License-Identifier: Apache-2.0
"""Tests of choosing a head model: built in, imported, from a file, or missing.

Knows no photo; FLAME's own loading is tested where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rome_backend.assets.store import AssetStore
from rome_backend.avatar import heads
from rome_backend.core.errors import AssetMissing
from rome_backend.core.head_model import save_head_model
from rome_backend.core.types import HeadModel


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty home for model files, and no head remembered from another test."""
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    heads.load_head.cache_clear()
    yield
    heads.load_head.cache_clear()


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


def test_an_imported_head_loads_until_its_file_is_damaged(
    tmp_path: Path, small_head: HeadModel
) -> None:
    store = AssetStore()
    save_head_model(small_head, tmp_path / "small.safetensors")
    data = (tmp_path / "small.safetensors").read_bytes()
    store.add("flame-2023-open", "flame-2023-open.safetensors", data, "CC-BY-4.0", "test")
    assert heads.load_head("flame")[0].topology_id == small_head.topology_id
    heads.load_head.cache_clear()
    path = store.folder / store.record("flame-2023-open").file
    path.write_bytes(data[:-1])
    with pytest.raises(AssetMissing):
        heads.load_head("flame")
