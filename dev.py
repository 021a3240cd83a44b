#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The one command of a fresh clone: makes .venv, installs what is pinned, then runs a task.

Knows nothing of heads; uses the standard library only and runs on any Python from 3.8.

    python3 dev.py demo [PHOTO]    one photo (or the default one) to a rigged head and pictures
    python3 dev.py test [ARGS]     the tests; ARGS go to pytest
    python3 dev.py check           ruff and mypy
    python3 dev.py blender [ARGS]  the built add-on in Blender 4.5 and 5.0: its tests and types
    python3 dev.py bench [ARGS]    the benches over the whole data set
    python3 dev.py rome ARGS       the rome command itself
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List, Optional

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
WANTED = (3, 11)
PROBE = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"


class Problem(Exception):
    """Something the person at the keyboard can put right; shown as one line."""


def say(message: str) -> None:
    """Write one line to stderr; stdout belongs to the task."""
    print(f"dev.py: {message}", file=sys.stderr, flush=True)


def python_commands() -> Iterator[List[str]]:
    """Yield commands that may start Python 3.11, most likely first."""
    yield [sys.executable]
    names = ["python3.11", "python3", "python"]
    for name in names:
        found = shutil.which(name)
        if found:
            yield [found]
    if os.name == "nt" and shutil.which("py"):
        yield ["py", "-3.11"]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    tail = "python.exe" if os.name == "nt" else "bin/python"
    for folder in sorted(pyenv.glob("3.11*"), reverse=True):
        yield [str(folder / tail)]


def works(command: List[str]) -> bool:
    """Return whether the command starts Python 3.11 with venv and pip available."""
    try:
        answer = subprocess.run(
            [*command, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.split() == [b"3", b"11"]


def find_python() -> List[str]:
    """Return a command that starts Python 3.11, or say what to install."""
    for command in python_commands():
        if works(command):
            return command
    advice = {
        "win32": "winget install Python.Python.3.11",
        "darwin": "brew install python@3.11",
    }.get(sys.platform, "apt install python3.11 python3.11-venv (or: pyenv install 3.11)")
    raise Problem(f"Python 3.11 with venv was not found; install it, for example with: {advice}")


def venv_python() -> Path:
    """Return the interpreter inside the virtual environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root: Path = ROOT) -> str:
    """Return a hash of what the environment is made from."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "requirements.lock"):
        digest.update((root / name).read_bytes())
    digest.update(str(root).encode())
    return digest.hexdigest()


def run(
    command: List[str], problem: Optional[str] = None, here: bool = False, **environment: str
) -> int:
    """Run a command in the project folder, or here; return its exit code.

    With ``problem`` a failure raises Problem instead.
    """
    folder = None if here else str(ROOT)
    code = subprocess.call(command, cwd=folder, env={**os.environ, **environment})
    if code and problem:
        raise Problem(f"{problem} (exit code {code}); the lines above say why")
    return code


def ensure_environment() -> Path:
    """Make or refresh .venv so that it holds the pinned environment; return its interpreter."""
    python = venv_python()
    usable = python.exists() and works([str(python)])
    wanted = fingerprint()
    if usable and STAMP.is_file() and STAMP.read_text().strip() == wanted:
        return python
    if not usable:
        say(f"making {VENV.name} (once)")
        run([*find_python(), "-m", "venv", "--clear", str(VENV)], "could not make .venv")
    say("installing the pinned environment (once; about 1.5 GB, a few minutes)")
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    pinned = ["-c", "requirements.lock", "-e", ".[dev,train]"]
    run([*install, *pinned], "pip could not install the project")
    STAMP.write_text(wanted + "\n")
    return python


def rome(python: Path, arguments: List[str]) -> int:
    """Run the rome command of the environment where the person stands: paths are theirs."""
    return run([str(python), "-m", "rome_backend", *arguments], here=True)


def demo(python: Path, arguments: List[str]) -> int:
    """Photo to rigged head; files are named at the end."""
    return rome(python, ["demo", *arguments])


def test(python: Path, arguments: List[str]) -> int:
    """Run the tests on every core, one thread each, after fetching the tracker's model files."""
    code = rome(python, ["assets", "fetch"])
    if code:
        return code
    pytest = [str(python), "-m", "pytest", "-n", "auto", "--import-mode=importlib"]
    return run([*pytest, *arguments], OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")


def check(python: Path, arguments: List[str]) -> int:
    """Run the linter, then the type checker; both must be clean."""
    lint = run([str(python), "-m", "ruff", "check", *arguments, "."])
    types = run([str(python), "-m", "mypy"])
    return lint or types


def blender(python: Path, arguments: List[str]) -> int:
    """Build the extension and test the result in the Blender versions .venv does not hold."""
    return run([str(python), "tools/blender_tests.py", *arguments])


def bench(python: Path, arguments: List[str]) -> int:
    """Run every bench over the whole data set (a first argument that is no option: its folder)."""
    if arguments and not arguments[0].startswith("-"):
        data = arguments.pop(0)
    else:
        data = os.environ.get("ROME_DATA_DIR", str(ROOT.parent / "shared" / "data"))
    folder = ["--data", data]
    codes = [
        rome(python, ["bench", "photos", *folder, "--json", *arguments]),
        rome(python, ["bench", "negatives", *folder, "--json", *arguments]),
        rome(python, ["bench", "create", "--json", *arguments]),
        rome(python, ["bench", "rig", "--json", *arguments]),
    ]
    return max(codes)


TASKS = {
    "demo": demo,
    "test": test,
    "check": check,
    "blender": blender,
    "bench": bench,
    "rome": rome,
}


def main(arguments: List[str]) -> int:
    """Run the named task in the pinned environment and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0 if arguments else 2
    task = TASKS.get(arguments[0])
    if task is None:
        say(f"there is no task {arguments[0]!r}; choose one of: {', '.join(TASKS)}")
        return 2
    try:
        return task(ensure_environment(), list(arguments[1:]))
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("cancelled")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
