# SPDX-License-Identifier: Apache-2.0
"""`rome doctor`: whether this machine has what the project needs.

Does not know how to repair anything; each finding says what to do.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import rome_backend
from rome_backend.commands.console import Console

PACKAGES = (
    "torch", "numpy", "scipy", "opencv-python-headless", "pillow", "tflite", "flatbuffers",
    "platformdirs", "pygltflib", "scikit-image", "bpy",
)  # fmt: skip
NEEDED_MIB = 2048
NEEDED_DISK_MIB = 500
BPY_SECONDS = 120.0
BPY_PROBE = "import bpy; print('bpy', bpy.app.version_string)"


@dataclass(frozen=True)
class Finding:
    """One check: its name, whether all is well, what was found, what to do if not.

    exit_code: of the whole command when the check failed.
    """

    name: str
    ok: bool
    found: str
    hint: str = ""
    exit_code: int = 1


def add_parser(subparsers: Any, shared: argparse.ArgumentParser) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser("doctor", parents=[shared], help="check this machine")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, console: Console) -> int:
    """Run every check and report; the exit code is that of the first failed one."""
    findings: list[Finding] = []
    for check in CHECKS:
        findings.extend(check())
    failed = [finding for finding in findings if not finding.ok]
    lines = [f"{'ok  ' if f.ok else 'FAIL'} {f.name:22} {f.found}" for f in findings]
    lines += [f"     {finding.name}: {finding.hint}" for finding in failed]
    payload = {"ok": not failed, "checks": [asdict(finding) for finding in findings]}
    console.result(payload, lines)
    return failed[0].exit_code if failed else 0


def _program() -> Iterator[Finding]:
    yield Finding("rome-blender", True, rome_backend.__version__)
    version = platform.python_version()
    hint = "Use Python 3.11; dev.py finds it or says what to install."
    yield Finding("python", sys.version_info[:2] == (3, 11), version, hint)
    yield Finding("system", True, platform.platform())


def _packages() -> Iterator[Finding]:
    for name in PACKAGES:
        try:
            yield Finding(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            hint = "Run python3 dev.py test, or pip install -c requirements.lock -e ."
            yield Finding(name, False, "not installed", hint)


def _models() -> Iterator[Finding]:
    from rome_backend.assets.mediapipe import installed
    from rome_backend.assets.store import AssetStore

    store = AssetStore()
    there = installed(store)
    found = f"in {store.folder}" if there else "not installed"
    yield Finding("tracker models", there, found, "Run: rome assets fetch", exit_code=4)


def _choices() -> Iterator[Finding]:
    """What `rome create` would choose by itself, and what the rest still lacks."""
    from rome_backend.assets.store import AssetStore
    from rome_backend.avatar import choices

    installed = {record.name for record in AssetStore().list()}
    chosen = choices.choose(choices.AUTO, choices.AUTO, choices.AUTO, installed)
    found = f"head {chosen.head}, tracker {chosen.tracker}, networks {chosen.networks}"
    yield Finding("create chooses", True, found)
    for part in (choices.DECA, choices.OFFICIAL, choices.LINEAR):
        lacking = choices.missing(part, installed)
        found = f"lacks {', '.join(lacking)}" if lacking else "installed"
        yield Finding(f"optional: {part}", True, found)


def _folders() -> Iterator[Finding]:
    from rome_backend.assets.store import cache_dir

    folder = cache_dir()
    probe = folder / f".{uuid.uuid4().hex}"
    hint = "Let the environment variable ROME_HOME name a folder you may write to."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Finding("cache folder", False, f"{folder} cannot be written ({error.strerror})", hint)
        return
    yield Finding("cache folder", True, str(folder))
    free = shutil.disk_usage(folder).free >> 20
    low = "Free some disk space."
    yield Finding("disk", free >= NEEDED_DISK_MIB, f"{free} MiB free", low, exit_code=5)


def _memory() -> Iterator[Finding]:
    free = available_memory_mib()
    if free is None:
        yield Finding("memory", True, "this system does not tell")
    else:
        hint = "Close other programs."
        yield Finding("memory", free >= NEEDED_MIB, f"{free} MiB available", hint, exit_code=5)


def available_memory_mib(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Return the memory programs may still take in MiB, or None where it is unknown."""
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) >> 10
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) >> 20
    return None


def _blender() -> Iterator[Finding]:
    from rome_backend.bench.processes import run_child
    from rome_backend.core.errors import AssetMissing
    from rome_backend.export.blend import bpy_python

    try:
        python = bpy_python()
    except AssetMissing as error:
        yield Finding("blender module", False, error.message, error.hint, error.exit_code)
        return
    child = run_child([str(python), "-c", BPY_PROBE], BPY_SECONDS)
    said = (child.stdout + child.stderr).strip().splitlines() or ["it said nothing"]
    found = next((line for line in said if line.startswith("bpy ")), said[-1])
    hint = "On Debian install its libraries: apt install libx11-6 libxxf86vm1 libgl1 libxkbcommon0"
    ok = child.code == 0 and found.startswith("bpy ")
    yield Finding("blender module", ok, found, hint)


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _program, _packages, _folders, _models, _choices, _memory, _blender,
)  # fmt: skip
