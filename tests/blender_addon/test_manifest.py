# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest says what the code does.

Does not know Blender's validator; tests/test_build_addon.py runs it.
"""

from __future__ import annotations

import tomllib

import pytest

import rome_backend


@pytest.fixture(scope="module")
def manifest(root):
    """The manifest as a dict."""
    with open(root / "blender_addon" / "blender_manifest.toml", "rb") as file:
        return tomllib.load(file)


def test_the_version_is_the_backend_s(manifest):
    assert manifest["version"] == rome_backend.__version__


def test_the_oldest_blender_is_the_first_with_extensions(manifest):
    assert manifest["blender_version_min"] == "4.2.0"
    assert "blender_version_max" not in manifest


def test_it_runs_on_every_platform_without_wheels(manifest):
    assert "platforms" not in manifest and "wheels" not in manifest


def test_the_licence_is_that_of_the_files(manifest, root):
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    for path in (root / "blender_addon").rglob("*.py"):
        assert path.read_text("utf-8").startswith("# SPDX-License-Identifier: GPL-3.0-or-later\n")


def test_it_asks_for_nothing_it_does_not_use(manifest):
    assert set(manifest["permissions"]) == {"files", "network"}


def test_nobody_in_particular_is_named(manifest):
    assert manifest["maintainer"] == "ROME for Blender developers"
    assert manifest["id"].isidentifier()
