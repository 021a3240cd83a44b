#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the extension: checks its parts and puts them into dist/rome-<version>.zip.

Knows nothing of heads, does not import what it packs, and uses the standard library only.

    python3 build_addon.py [--out FOLDER] [--blender-ext PATH]

The same sources give the same bytes on every machine: names sorted, one date, nothing compressed.
Blender's own validator (blender_ext.py of Blender or of its Python module) is run where found.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MANIFEST = "blender_manifest.toml"
# The add-on's own package, the core it shares with the backend, and what Set Up installs.
PARTS = (
    ("", "blender_addon"),
    ("core", "rome_backend/core"),
    ("backend_source/rome_backend", "rome_backend"),
    ("LICENSES", "LICENSES"),
)
DATE = (1980, 1, 1, 0, 0, 0)
LEFT_OUT = ("__pycache__", ".mypy_cache", ".ruff_cache")
PACKED = frozenset(
    {".py", ".toml", ".txt", ".json", ".npy", ".npz", ".safetensors", ".md", ".png", ".svg"}
)
CAN_SAY_ITS_LICENCE = frozenset({".py", ".toml"})
SPDX = re.compile(rb"\A(#!.*\n)?# SPDX-License-Identifier: (GPL-3\.0-or-later|Apache-2\.0)\n")
OLDEST_BLENDER = (4, 2, 0)
PERMISSIONS = frozenset({"files", "network", "clipboard", "camera", "microphone"})
# Blender's list of tags for add-ons; its validator does not compare when run on a folder.
TAGS = frozenset(
    (
        "3D View", "Add Curve", "Add Mesh", "Animation", "Bake", "Camera", "Compositing",
        "Development", "Game Engine", "Geometry Nodes", "Grease Pencil", "Import-Export",
        "Lighting", "Material", "Mesh", "Modeling", "Node", "Object", "Paint", "Physics",
        "Pipeline", "Render", "Rigging", "Scene", "Sculpt", "Sequencer", "System", "Text Editor",
        "Tracking", "User Interface", "UV",
    )
)  # fmt: skip
# In the checkout, and only there, the core is the backend's: the built extension has its own.
REACHES_THE_CHECKOUT = "core_access.py"


class Problem(Exception):
    """The extension cannot be built; the text says why, a line for each reason."""


def collect(root: Path) -> dict[str, bytes]:
    """Return what goes into the zip: name inside it -> content, sorted by name."""
    found: dict[str, bytes] = {}
    for inside, folder in PARTS:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root / folder)
            if path.is_dir() or set(relative.parts) & set(LEFT_OUT):
                continue
            name = "/".join((inside, *relative.parts)) if inside else relative.as_posix()
            found[name] = path.read_bytes()
    return dict(sorted(found.items()))


def package_version(root: Path) -> str:
    """Return rome_backend.__version__ without importing it."""
    text = (root / "rome_backend" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise Problem("rome_backend/__init__.py states no version")
    return found[1]


def manifest_problems(text: str, version: str) -> Iterator[str]:
    """Yield what is wrong with a manifest and Blender's validator of folders does not find."""
    manifest = tomllib.loads(text)
    if manifest.get("version") != version:
        yield f"{MANIFEST}: version {manifest.get('version')} is not the package's {version}"
    for tag in sorted(set(manifest.get("tags", [])) - TAGS):
        yield f"{MANIFEST}: Blender knows no tag {tag!r}"
    oldest = tuple(int(part) for part in str(manifest.get("blender_version_min", "0")).split("."))
    if oldest < OLDEST_BLENDER:
        yield f"{MANIFEST}: Blender before 4.2 has no extensions"
    for name, reason in manifest.get("permissions", {}).items():
        if name not in PERMISSIONS:
            yield f"{MANIFEST}: Blender knows no permission {name!r}"
        if len(reason) > 64 or not reason[-1:].isalnum():
            yield f"{MANIFEST}: the reason for {name!r} is too long or ends in punctuation"
    if "SPDX:GPL-3.0-or-later" not in manifest.get("license", []):
        yield f"{MANIFEST}: the licence of what runs inside Blender is GPL-3.0-or-later"
    if manifest.get("platforms") or manifest.get("wheels"):
        yield f"{MANIFEST}: the extension is pure Python for every platform"


def file_problems(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what is wrong with the files: kinds, licences, imports, names that clash."""
    lowered: dict[str, str] = {}
    for name, content in files.items():
        suffix = Path(name).suffix
        if suffix not in PACKED:
            yield f"{name}: files of this kind are not packed"
        if suffix in CAN_SAY_ITS_LICENCE and not SPDX.match(content):
            yield f"{name}: does not start with its SPDX licence line"
        if lowered.setdefault(name.lower(), name) != name:
            yield f"{name}: is {lowered[name.lower()]} on systems that ignore case"
        in_addon = not name.startswith("backend_source/") and name != REACHES_THE_CHECKOUT
        if suffix == ".py" and in_addon:
            for line in _absolute_imports(content):
                yield f"{name}:{line}: imports rome_backend, which Blender's Python has not"


def _absolute_imports(source: bytes) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        else:
            continue
        if any(name.split(".")[0] == "rome_backend" for name in names):
            yield node.lineno


def problems(files: Mapping[str, bytes], version: str) -> list[str]:
    """Return every reason not to ship these files as this version."""
    missing = [name for name in ("__init__.py", MANIFEST) if name not in files]
    if missing:
        return [f"{name}: is missing" for name in missing]
    found = list(manifest_problems(files[MANIFEST].decode("utf-8"), version))
    return found + list(file_problems(files))


def write_zip(files: Mapping[str, bytes], path: Path) -> None:
    """Write the files as a zip whose bytes depend on their names and contents alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, DATE)
                entry.create_system = 3  # Unix, on Windows as well
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, files[name])
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def find_blender_ext() -> Path | None:
    """Return blender_ext.py of Blender's Python module, or None where that is not installed."""
    spec = find_spec("bpy")
    if spec is None or not spec.origin:
        return None
    pattern = "*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    return next(iter(sorted(Path(spec.origin).parent.glob(pattern), reverse=True)), None)


def validate(path: Path, blender_ext: Path) -> None:
    """Run Blender's own validator on the zip and on its unpacked manifest with known tags.

    Raises Problem with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="rome-addon-") as folder, zipfile.ZipFile(path) as file:
        file.extractall(folder)
        for what in (str(path), folder):
            command = [sys.executable, str(blender_ext), "validate", what]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Problem(f"Blender's validator: {(done.stdout + done.stderr).strip()}")


def build(root: Path, out: Path, blender_ext: Path | None = None) -> Path:
    """Check everything and write the zip into ``out``; return its path.

    Raises Problem with every reason why that is not possible; nothing is written then.
    """
    version = package_version(root)
    files = collect(root)
    found = problems(files, version)
    if found:
        raise Problem("\n".join(found))
    with tempfile.TemporaryDirectory(prefix="rome-addon-") as folder:
        trial = Path(folder, f"rome-{version}.zip")
        write_zip(files, trial)
        if blender_ext is not None:
            validate(trial, blender_ext)
    path = out / f"rome-{version}.zip"
    write_zip(files, path)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Build the extension and say where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the zip")
    parser.add_argument("--blender-ext", type=Path, help="blender_ext.py of the Blender to ask")
    args = parser.parse_args(arguments)
    blender_ext = args.blender_ext or find_blender_ext()
    try:
        path = build(ROOT, args.out, blender_ext)
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    if blender_ext is None:
        sys.stderr.write("Blender's own validator was not found and did not run.\n")
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
