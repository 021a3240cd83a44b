# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of assets: synthetic model files and an empty store."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from rome_backend.assets.store import AssetStore


@pytest.fixture(scope="session")
def model_files() -> ModuleType:
    """The module that writes a synthetic file of every kind."""
    path = Path(__file__).with_name("model_files.py")
    spec = importlib.util.spec_from_file_location("model_files", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def empty_store(tmp_path: Path) -> AssetStore:
    """A store with nothing in it."""
    return AssetStore(tmp_path / "store")
