# SPDX-License-Identifier: Apache-2.0
"""What the backend's first message says of the installed networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rome_backend.assets.store import AssetStore


def test_the_installed_networks_are_told(
    start: Callable[[list[str]], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    serve = ["-m", "rome_backend", "serve"]
    assert start(serve).greet().weights == ""
    record = AssetStore().add("rome", "rome.safetensors", b"networks", "none", "a test")
    assert start(serve).greet().weights == record.sha256[:16]


def test_a_damaged_record_does_not_keep_the_backend_from_starting(
    start: Callable[[list[str]], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROME_HOME", str(tmp_path / "home"))
    AssetStore().add("rome", "rome.safetensors", b"networks", "none", "a test")
    for path in (tmp_path / "home").rglob("*.json"):
        path.write_text("{", "utf-8")
    talk = start(["-m", "rome_backend", "serve"])
    assert talk.greet().weights == ""
    talk.close()
    assert "not known" in talk.log.read_text()
