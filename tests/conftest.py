# SPDX-License-Identifier: Apache-2.0
"""Fixtures that find the test data; tests that need it skip with a reason when it is absent.

Does not know any package under test.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from rome_backend.core.types import HeadModel

ROOT = Path(__file__).resolve().parents[1]

# The tree that tests/test_imports.py and tests/test_house_rules.py judge; absent parts are skipped.
SOURCE_FOLDERS = ("rome_backend", "blender_addon", "training", "tools")
SOURCE_FILES = ("dev.py", "build_addon.py")
TEST_FOLDERS = ("tests",)


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"test data folder {default.name!r} is absent; set {variable} to run this test")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root folder."""
    return ROOT


def _python_files(folders: tuple[str, ...], files: tuple[str, ...] = ()) -> dict[str, str]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    found += [ROOT / name for name in files if (ROOT / name).is_file()]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found}


@pytest.fixture(scope="session")
def source_texts() -> dict[str, str]:
    """Every Python file of ours that is no test: path from the root -> text."""
    return _python_files(SOURCE_FOLDERS, SOURCE_FILES)


@pytest.fixture(scope="session")
def texts_of_tests() -> dict[str, str]:
    """Every Python file of the tests: path from the root -> text."""
    return _python_files(TEST_FOLDERS)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of photos, clips, head models and hostile files."""
    return _folder("ROME_DATA_DIR", ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    """The folder of numeric parity fixtures."""
    return _folder("ROME_PARITY_DIR", ROOT.parent / "shared" / "data" / "parity")


@pytest.fixture(scope="session")
def small_head() -> HeadModel:
    """A valid synthetic head model of 94 vertices (tests/rome_backend/small_head.py)."""
    path = ROOT / "tests" / "rome_backend" / "small_head.py"
    spec = importlib.util.spec_from_file_location("small_head", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.small_head()


@pytest.fixture(scope="session")
def tracker_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the face tracker's networks: those installed, or of ROME_MEDIAPIPE_WHEEL."""
    from rome_backend.assets.mediapipe import import_wheel, installed
    from rome_backend.assets.store import AssetStore

    wheel = os.environ.get("ROME_MEDIAPIPE_WHEEL")
    if wheel:
        return import_wheel(Path(wheel), AssetStore(tmp_path_factory.mktemp("assets")))
    if not installed(AssetStore()):
        pytest.skip("the tracker's models are not installed: run `rome assets fetch`")
    return AssetStore().folder
