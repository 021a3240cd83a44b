# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the private environment: a Python 3.11, the pinned packages, the bundled backend.

Does not know bpy or threads: who calls it says where, and whether the internet may be used. The
environment is built under another name and gets its own only when it works, so that a cancelled
or failed set-up leaves what was there before.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ..core_access import Cancelled, RomeError
from . import environment, packages
from .find_python import FoundPython, advice, clean_environment, find_python
from .pace import COPIED, FOUND, INSTALLED, MADE, Pace
from .pip_problems import disk_full, explain
from .run_child import run_child
from .torch_index import find_torch_index

Report = Callable[[str, float], None]

LOG = "set_up.log"
CHECK = "import sys, rome_backend, torch, numpy, scipy, cv2, PIL; print(sys.version.split()[0])"
ROOM_FACTOR = 1.1


@dataclass(frozen=True)
class Options:
    """What a set-up needs to know.

    folder: of the add-on's own data; online: Blender lets add-ons use the internet;
    torch_index: address of the index of PyTorch's CPU builds for Linux, "" to find it out;
    with_cuda: list_path is the one with CUDA's libraries; commands: Pythons to try,
    None for all that this machine may have; list_path, source: the packages' list and the
    backend's package that come with the add-on; check: what must run in the finished environment.
    """

    folder: Path
    online: bool
    torch_index: str = ""
    with_cuda: bool = False
    commands: tuple[tuple[str, ...], ...] | None = None
    list_path: Path = packages.LIST
    source: Path = field(default_factory=environment.backend_source)
    check: str = CHECK


def set_up(options: Options, report: Report, cancel: threading.Event) -> Path:
    """Make or replace the environment; return its folder.

    report(stage, fraction) is called often, in this thread. Raises Cancelled when ``cancel`` gets
    set, OutOfResources 'disk_full', and RomeError with the codes 'offline', 'python_missing',
    'platform_unsupported', 'set_up_running', 'venv_failed', 'environment_in_use',
    'torch_index_unknown', 'environment_unusable' and those of pip_problems. What was there before
    stays then.
    """
    if not options.online:
        raise offline()
    list_text = options.list_path.read_text("utf-8")
    report("Looking for Python 3.11", 0.0)
    python = usable_python(options.commands)
    options.folder.mkdir(parents=True, exist_ok=True)
    with environment.only_one(options.folder):
        environment.clean_leftovers(options.folder)
        key = packages.platform_key(python.system, python.machine)
        size = packages.size_for(key, options.with_cuda)
        assert size is not None
        check_room(options.folder, size)
        done = _build(options, python, list_text, report, cancel)
    report("Ready", 1.0)
    return done


def _build(
    options: Options,
    python: FoundPython,
    list_text: str,
    report: Report,
    cancel: threading.Event,
) -> Path:
    """Make the environment under another name and put it in place; return where it is."""
    tag = uuid.uuid4().hex[:8]
    built = environment.new_folder(options.folder, tag)
    with open(options.folder / LOG, "w", encoding="utf-8") as log, _gone_at_the_end(built):
        steps = _Steps(options, python, built, report, cancel, log)
        steps.make_environment()
        steps.install_packages(list_text)
        steps.copy_backend()
        steps.check_and_mark(list_text)
        if cancel.is_set():
            raise Cancelled()
        return environment.put_in_place(built, options.folder, tag)


def offline() -> RomeError:
    """Return the error for a Blender that may not use the internet."""
    return RomeError(
        "offline",
        "Blender is not allowed to use the internet.",
        "Allow Online Access in Preferences > System > Network, then press the button again.",
    )


def usable_python(commands: Sequence[tuple[str, ...]] | None) -> FoundPython:
    """Return a Python 3.11 whose platform the list of packages covers.

    Raises RomeError 'python_missing' or 'platform_unsupported'.
    """
    python = find_python(commands)
    if python is None:
        raise RomeError("python_missing", "Python 3.11 (64 bit) was not found.", advice() + ".")
    if packages.platform_key(python.system, python.machine) not in packages.SIZES:
        raise RomeError(
            "platform_unsupported",
            f"PyTorch has no files for {python.system} on {python.machine}.",
            "Use a Python that has the backend's packages: choose it under Use This Python.",
        )
    return python


def check_room(folder: Path, size: packages.Size) -> None:
    """Raise OutOfResources 'disk_full' unless the folder's disk has room for the environment."""
    needed = int((size.disk + size.download) * ROOM_FACTOR)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise disk_full(f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free.")


@contextmanager
def _gone_at_the_end(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Steps:
    """The stages of one set-up, in the order of its methods."""

    options: Options
    python: FoundPython
    built: Path
    report: Report
    cancel: threading.Event
    log: TextIO

    def make_environment(self) -> None:
        """Make an empty virtual environment with pip."""
        self.report("Making the environment", FOUND)
        code, lines = self._run([*self.python.command, "-m", "venv", str(self.built)])
        if code:
            raise RomeError(
                "venv_failed",
                f"{self.python.command[0]} could not make an environment: {_last(lines)}.",
                advice() + ".",
            )

    def install_packages(self, list_text: str) -> None:
        """Install exactly the list: no other versions, no other files, nothing compiled here."""
        listed = packages.read_list(list_text)
        index = self._torch_index(listed)
        pace = Pace(packages.weights(listed, self.python.system))
        command = [
            *(str(environment.environment_python(self.built)), "-m", "pip", "install"),
            *("--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
            *("--require-hashes", "--no-deps", "--only-binary=:all:"),
            *("-r", str(self.options.list_path)),
        ]
        if index:
            command += ["--extra-index-url", index]
        self.report("Fetching packages", MADE)
        code, lines = self._run(command, pace.hear, lambda: self.report(*pace.now()))
        if code:
            raise explain(lines)

    def _torch_index(self, listed: tuple[packages.Package, ...]) -> str:
        """Return the additional index that the list needs: the one given, or the one found."""
        torch = packages.with_own_index(listed, self.python.system)
        if self.options.torch_index or torch is None:
            return self.options.torch_index
        self.report("Looking for PyTorch's CPU build", MADE)
        python = environment.environment_python(self.built)
        return find_torch_index(python, torch, self.built / "finder", self._run)

    def copy_backend(self) -> None:
        """Put the bundled backend where the environment's Python imports from."""
        self.report("Installing the backend", INSTALLED)
        target = environment.site_packages(self.built) / self.options.source.name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(self.options.source, target, ignore=ignore)

    def check_and_mark(self, list_text: str) -> None:
        """Start the finished environment once, and write down what it is."""
        self.report("Checking", COPIED)
        python = environment.environment_python(self.built)
        code, lines = self._run([str(python), "-c", self.options.check])
        if code:
            raise RomeError(
                "environment_unusable",
                f"The environment was made but does not work: {_last(lines)}.",
                "Look into the log and report it.",
            )
        marker = environment.Marker(
            environment.version_in(self.options.source),
            packages.fingerprint(list_text),
            self.python.version,
            environment.size_on_disk(self.built),
        )
        environment.write_marker(self.built, marker)

    def _run(
        self,
        command: list[str],
        hear: Callable[[str], None] = lambda line: None,
        tick: Callable[[], None] = lambda: None,
    ) -> tuple[int, list[str]]:
        def heard(line: str) -> None:
            self.log.write(line + "\n")
            self.log.flush()
            hear(line)

        self.log.write("$ " + " ".join(command) + "\n")
        return run_child(command, clean_environment(), heard, self.cancel, tick)


def _last(lines: Sequence[str]) -> str:
    said = [line.strip() for line in lines if line.strip()]
    return said[-1].rstrip(".")[:300] if said else "it said nothing"
