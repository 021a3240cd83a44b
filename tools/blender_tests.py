# SPDX-License-Identifier: Apache-2.0
"""Tests the built extension in Blender 4.5 and 5.0, and its types against both versions' stubs.

Does not know what the tests are about: it makes one environment per version (once), builds the
zip, unpacks it and runs tests/blender_addon on that copy. Blender 4.2 is in the main environment,
where the same tests run on the checkout.

    python tools/blender_tests.py [--only 4.5] [--skip-types] [ARGS of pytest]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "tools" / "requirements-blender.txt"
LIMIT_SECONDS = 420
WRITE_STACKS = "faulthandler_timeout=120"  # where a test that hangs stands
# Python must end by itself: whatever still holds Blender's module then makes 4.5 hang in C code,
# which nothing but an alarm ends.
END_SECONDS = 60
PYTEST = (
    "import os, sys, signal, pytest; sys.path.insert(0, os.getcwd()); code = int(pytest.main()); "
    "alarm = getattr(signal, 'alarm', None); "
    f"alarm and (signal.signal(signal.SIGALRM, signal.SIG_DFL), alarm({END_SECONDS})); "
    "sys.exit(code)"
)

# Kinds of errors in which the stubs are stricter than Blender: every context member may be None
# there, enums are cut down to one value, and arrays are no sequences. What stays is what differs
# between versions: names that are gone, and calls with other arguments.
STRICTNESS = (
    "union-attr assignment arg-type list-item misc valid-type var-annotated return-value override "
    "func-returns-value index"
)
# Blender hands out subclasses of these where the stubs name the base.
BASES = "Node|NodeSocket|Modifier|Light|Space|Constraint|Strip|Texture|ID|type"
HARMLESS = re.compile(
    rf'error: "(?:{BASES})" has no attribute'
    r'|"float" has no attribute "foreach_'
    r'|"floating\[.*" has no attribute "__iter__"'  # numpy 1.26 says so of matrix products
    r'|has no attribute "rome"'  # the add-on's own property on Blender's types
    r'|Unsupported right operand type for in \("[A-Z]'  # custom properties of any datablock
)
ERROR = re.compile(r": error: ")


@dataclass(frozen=True)
class Version:
    """One Blender to test in: its short name, the bpy wheel and the stubs' date."""

    name: str
    bpy: str
    stubs: str

    @property
    def folder(self) -> Path:
        """The environment's folder."""
        return ROOT / f".venv-blender-{self.name}"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def packages(self) -> tuple[str, str]:
        """The requirements that are this version's own."""
        return f"bpy=={self.bpy}", f"fake-bpy-module-{self.name}=={self.stubs}"


VERSIONS = (Version("4.5", "4.5.15", "20260730"), Version("5.0", "5.0.1", "20260730"))


class Problem(Exception):
    """A step that failed; shown as one line."""


def say(message: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"blender_tests: {message}\n")


def show(text: str) -> None:
    """Write what another program said to stdout."""
    sys.stdout.write(text)
    sys.stdout.flush()


def fingerprint(version: Version) -> str:
    """Return a hash of what the version's environment is made from."""
    parts = [REQUIREMENTS.read_text("utf-8"), *version.packages, sys.version, str(version.folder)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ensure_environment(version: Version) -> None:
    """Make the version's environment, or leave it when it holds what is pinned.

    Raises Problem where venv or pip fails.
    """
    stamp = version.folder / "installed.sha256"
    wanted = fingerprint(version)
    if version.python.exists() and stamp.is_file() and stamp.read_text().strip() == wanted:
        return
    say(f"making {version.folder.name} (once; about 1 GB)")
    stamp.unlink(missing_ok=True)
    _must([sys.executable, "-m", "venv", "--clear", str(version.folder)])
    install = [str(version.python), "-m", "pip", "install", "--quiet"]
    _must([*install, "--disable-pip-version-check", "-r", str(REQUIREMENTS), *version.packages])
    stamp.write_text(wanted + "\n")


def _must(command: list[str]) -> None:
    if subprocess.call(command, cwd=ROOT):
        raise Problem(f"{' '.join(command[:4])} ... failed; the lines above say why")


def build_zip(folder: Path) -> Path:
    """Build the extension into the empty folder and return its zip file.

    Raises Problem where the build fails or leaves anything but one zip.
    """
    _must([sys.executable, str(ROOT / "build_addon.py"), "--out", str(folder)])
    found = list(folder.glob("*.zip"))
    if len(found) != 1:
        raise Problem(f"build_addon.py left {len(found)} zip files instead of one")
    return found[0]


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the extension's zip below the folder and return the add-on's folder.

    Raises Problem where the zip is no extension.
    """
    addon = folder / "addon"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(addon)
    for name in ("__init__.py", "blender_manifest.toml", "core/types.py"):
        if not (addon / name).is_file():
            raise Problem(f"{archive.name} holds no {name}")
    return addon


def environment(addon: Path, archive: Path, home: Path) -> dict[str, str]:
    """Return the variables the tests run under.

    The add-on under test, its zip, the Python of the backend, and a Blender that writes its
    settings below ``home`` instead of over the developer's.
    """
    own = {
        "ROME_ADDON_DIR": str(addon),
        "ROME_ADDON_ZIP": str(archive),
        "ROME_BACKEND_PYTHON": sys.executable,
        "BLENDER_USER_RESOURCES": str(home),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**os.environ, **own}


def run_tests(
    archive: Path, versions: tuple[Version, ...], scratch: Path, arguments: list[str]
) -> list[str]:
    """Run the tests in all versions at once; print each output whole, return what failed."""
    pytest = ["-c", PYTEST, "--import-mode=importlib", "-p", "no:cacheprovider", "-o", WRITE_STACKS]
    deadline = time.monotonic() + LIMIT_SECONDS
    running = {}
    for version in versions:
        folder = scratch / version.name
        addon = unpack(archive, folder)
        (folder / "home").mkdir()
        variables = environment(addon, archive, folder / "home")
        command = [str(version.python), *pytest, "tests/blender_addon", *arguments]
        with (folder / "log").open("wb") as log:
            running[version] = subprocess.Popen(
                command, cwd=ROOT, env=variables, stdout=log, stderr=log
            )
    failed = []
    for version, process in running.items():
        code = _finish(process, deadline - time.monotonic())
        show((scratch / version.name / "log").read_text("utf-8", "replace"))
        say(f"Blender {version.name}: {'passed' if code == 0 else _said(code)}")
        if code:
            failed.append(f"the tests in Blender {version.name}")
    return failed


def _said(code: int) -> str:
    """Return an exit code in words."""
    if code == -getattr(signal, "SIGALRM", 0):
        return "the tests are over, but Python does not end: something holds Blender's module"
    return f"exit code {code}"


def _finish(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Return the exit code; end what takes longer (bpy 4.5 hangs if a class stays registered)."""
    try:
        return process.wait(max(seconds, 1.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 124


def type_errors(output: str) -> list[str]:
    """Return mypy's error lines that are not a mere strictness of the stubs."""
    lines = output.splitlines()
    return [line for line in lines if ERROR.search(line) and not HARMLESS.search(line)]


def check_types(version: Version) -> list[str]:
    """Type-check the add-on against the version's stubs; print errors and return what failed."""
    disabled = [word for code in STRICTNESS.split() for word in ("--disable-error-code", code)]
    stubs = ["--python-executable", str(version.python)]
    cache = ["--cache-dir", str(ROOT / ".mypy_cache" / f"blender-{version.name}")]
    options = ["--follow-imports=silent", "--no-strict-optional", "--no-warn-unused-ignores"]
    command = [sys.executable, "-m", "mypy", *stubs, *cache, *options, *disabled]
    done = subprocess.run(
        [*command, "-p", "blender_addon"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    errors = type_errors(done.stdout)
    if done.returncode > 1:
        errors = [done.stdout]
    show("".join(f"{line}\n" for line in errors))
    say(f"types against Blender {version.name}: {len(errors)} errors")
    return [f"the types against Blender {version.name}"] if errors else []


def main(arguments: list[str]) -> int:
    """Run everything that was asked for; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [version.name for version in VERSIONS]
    parser.add_argument("--only", choices=names, help="test in this Blender alone")
    parser.add_argument("--skip-types", action="store_true", help="leave mypy out")
    options, rest = parser.parse_known_args(arguments)
    versions = tuple(each for each in VERSIONS if options.only in (None, each.name))
    try:
        for version in versions:
            ensure_environment(version)
        with tempfile.TemporaryDirectory(prefix="rome-blender-") as scratch:
            archive = build_zip(Path(scratch))
            failed = run_tests(archive, versions, Path(scratch), rest)
        if not options.skip_types:
            failed += [failure for version in versions for failure in check_types(version)]
    except Problem as problem:
        failed = [str(problem)]
    for failure in failed:
        say(f"failed: {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
