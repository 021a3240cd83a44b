# SPDX-License-Identifier: Apache-2.0
"""The extension's zip: complete, the same every time, valid, and refused when a part is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import build_addon
import rome_backend

GPL = b"# SPDX-License-Identifier: GPL-3.0-or-later\n"
MANIFEST = b"""# SPDX-License-Identifier: GPL-3.0-or-later
schema_version = "1.0.0"
id = "rome"
version = "1.2.3"
name = "A Name"
tagline = "A tag line"
maintainer = "Somebody"
type = "add-on"
tags = ["Render"]
blender_version_min = "4.2.0"
license = ["SPDX:GPL-3.0-or-later"]

[permissions]
files = "Read photos"
"""
SMALL = {
    "__init__.py": GPL,
    "blender_manifest.toml": MANIFEST,
    "core/__init__.py": GPL,
    "core_access.py": GPL + b"from rome_backend.core import types\n",
    "backend_source/rome_backend/__init__.py": GPL + b"import rome_backend\n",
}


@pytest.fixture(scope="module")
def frozen(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packed, so that nobody changes it between two builds."""
    copy = tmp_path_factory.mktemp("sources")
    for folder in ("blender_addon", "rome_backend", "LICENSES"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, copy / folder, ignore=ignore)
    return copy


@pytest.fixture(scope="module")
def built(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own zip, validated by Blender's validator where that is installed."""
    out = tmp_path_factory.mktemp("dist")
    return build_addon.build(frozen, out, build_addon.find_blender_ext())


def test_built_twice_it_is_the_same_bit_for_bit(frozen: Path, built: Path, tmp_path: Path) -> None:
    for path in frozen.rglob("*.py"):
        os.utime(path, (1, 1))
    (frozen / "blender_addon" / "__pycache__").mkdir()
    (frozen / "blender_addon" / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"compiled")
    again = build_addon.build(frozen, tmp_path / "deeper" / "dist")
    assert again.read_bytes() == built.read_bytes()


def test_it_holds_the_add_on_the_core_and_the_backend(built: Path) -> None:
    with zipfile.ZipFile(built) as file:
        names = file.namelist()
        assert file.testzip() is None
    assert built.name == f"rome-{rome_backend.__version__}.zip"
    assert names == sorted(names) and len(names) == len(set(names))
    expected = {
        "__init__.py", "blender_manifest.toml", "core_access.py", "rig/build.py", "core/types.py",
        "backend_source/rome_backend/__main__.py", "backend_source/rome_backend/core/types.py",
        "backend_source/rome_backend/open_head/mean_face.npy", "LICENSES/GPL-3.0-or-later.txt",
        "LICENSES/Apache-2.0.txt",
    }  # fmt: skip
    assert expected <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_every_entry_has_the_same_date_and_rights(built: Path) -> None:
    with zipfile.ZipFile(built) as file:
        entries = file.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_every_registered_module_is_in_it(built: Path) -> None:
    pytest.importorskip("bpy", reason="the bpy wheel is not installed")
    from blender_addon.registration import MODULES

    with zipfile.ZipFile(built) as file:
        names = set(file.namelist())
    paths = {name.replace(".", "/") for name in MODULES}
    assert all({f"{path}.py", f"{path}/__init__.py"} & names for path in paths)


def test_nothing_of_this_machine_is_in_it(built: Path, root: Path) -> None:
    with zipfile.ZipFile(built) as file:
        for name in file.namelist():
            assert str(root).encode() not in file.read(name), name


def test_it_is_small_enough_to_be_looked_through(built: Path) -> None:
    assert built.stat().st_size < 5_000_000


def test_small_extension_is_fine() -> None:
    assert build_addon.problems(SMALL, "1.2.3") == []


WRONG = {
    "no manifest": {"blender_manifest.toml": None},
    "no __init__": {"__init__.py": None},
    "another version": {"blender_manifest.toml": MANIFEST.replace(b"1.2.3", b"1.2.4")},
    "unknown tag": {"blender_manifest.toml": MANIFEST.replace(b'"Render"', b'"Heads"')},
    "too old": {"blender_manifest.toml": MANIFEST.replace(b"4.2.0", b"4.1.0")},
    "another licence": {"blender_manifest.toml": MANIFEST.replace(b'or-later"', b'only"')},
    "unknown permission": {"blender_manifest.toml": MANIFEST.replace(b"files =", b"disk =")},
    "long reason": {"blender_manifest.toml": MANIFEST.replace(b"photos", b"photos" * 12)},
    "reason with period": {"blender_manifest.toml": MANIFEST.replace(b"photos", b"photos.")},
    "bound to a platform": {
        "blender_manifest.toml": MANIFEST.replace(b"\n[perm", b'platforms = ["linux-x64"]\n[perm')
    },
    "a library": {"fast.so": b"\x7fELF"},
    "compiled Python": {"a.pyc": b"\0"},
    "no licence line": {"panel.py": b'"""A."""\n'},
    "licence not first": {"panel.py": b"\n" + GPL},
    "absolute import": {"panel.py": GPL + b"import rome_backend.core\n"},
    "hidden absolute import": {"panel.py": GPL + b"def f():\n    from rome_backend import core\n"},
    "absolute import in the core": {"core/a.py": GPL + b"from rome_backend.core import types\n"},
    "names that differ in case": {"Core_access.py": GPL},
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_planted_problems_are_found(name: str) -> None:
    files = {**SMALL, **WRONG[name]}
    found = build_addon.problems({k: v for k, v in files.items() if v is not None}, "1.2.3")
    assert len(found) == 1, found


def test_nothing_is_written_when_something_is_wrong(frozen: Path, tmp_path: Path) -> None:
    copy = tmp_path / "sources"
    shutil.copytree(frozen, copy)
    (copy / "blender_addon" / "tool.exe").write_bytes(b"MZ")
    with pytest.raises(build_addon.Problem, match="tool.exe"):
        build_addon.build(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_blender_s_validator_has_the_last_word(frozen: Path, tmp_path: Path) -> None:
    blender_ext = build_addon.find_blender_ext()
    if blender_ext is None:
        pytest.skip("the bpy wheel is not installed")
    copy = tmp_path / "sources"
    shutil.copytree(frozen, copy)
    manifest = copy / "blender_addon" / "blender_manifest.toml"
    manifest.write_text(manifest.read_text().replace('tagline = "', 'tagline = "' + "long " * 20))
    with pytest.raises(build_addon.Problem, match="(?i)tagline"):
        build_addon.build(copy, tmp_path / "out", blender_ext)
    assert not (tmp_path / "out").exists()


def test_the_command_says_where_the_zip_is(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(root / "build_addon.py"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_file()
