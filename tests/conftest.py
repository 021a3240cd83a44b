# SPDX-License-Identifier: Apache-2.0
"""Fixtures that find the test data; tests that need it skip with a reason when it is absent.

Does not know any package under test.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"test data folder {default.name!r} is absent; set {variable} to run this test")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of photos, clips, head models and hostile files."""
    return _folder("ROME_DATA_DIR", ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    """The folder of numeric parity fixtures."""
    return _folder("ROME_PARITY_DIR", ROOT.parent / "shared" / "data" / "parity")
