# SPDX-License-Identifier: Apache-2.0
"""The id is the start of the released file's checksum, whatever else is installed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rome_backend.assets.installed_weights import ROME_NETWORKS, installed_weights
from rome_backend.assets.store import AssetStore
from rome_backend.core.errors import FileInvalid


def test_without_the_networks_it_is_empty(empty_store: AssetStore) -> None:
    assert installed_weights(empty_store) == ""
    empty_store.add("deca", "deca.safetensors", b"others", "none", "a test")
    assert installed_weights(empty_store) == ""


def test_it_names_the_networks_and_follows_them(empty_store: AssetStore) -> None:
    for data in (b"one", b"two"):
        empty_store.add(ROME_NETWORKS, "rome.safetensors", data, "none", "a test")
        assert installed_weights(empty_store) == hashlib.sha256(data).hexdigest()[:16]
    empty_store.remove(ROME_NETWORKS)
    assert installed_weights(empty_store) == ""


def test_a_damaged_record_is_an_error(empty_store: AssetStore, tmp_path: Path) -> None:
    empty_store.add(ROME_NETWORKS, "rome.safetensors", b"one", "none", "a test")
    for path in tmp_path.rglob("*.json"):
        path.write_text("{", "utf-8")
    with pytest.raises(FileInvalid):
        installed_weights(empty_store)
