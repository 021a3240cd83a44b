# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences show of the backend: the running set-up, and what is known of the rest.

Does not know bpy. It stands on a module, not in the scene: undo would roll it back.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from .backend import environment, packages
from .backend.task import Task, Work
from .core_access import RomeError

END_SECONDS = 10.0


@dataclass
class SetUpStatus:
    """The task of set-up, repair, fetching or checking, and what the last ones found out.

    models: whether the model files are there, None before anybody asked; python: version of the
    Python that was checked last, "" before.
    """

    task: Task | None = None
    models: bool | None = None
    python: str = ""

    def start(self, label: str, work: Work) -> Task:
        """Start a task; only one runs at a time."""
        assert not self.is_running
        self.task = Task(label, work)
        return self.task

    @property
    def is_running(self) -> bool:
        """Whether a task has not ended."""
        return self.task is not None and not self.task.is_done

    def error(self) -> RomeError | None:
        """Return why the last task failed; None while one runs and when it did not."""
        if self.task is None or self.is_running:
            return None
        return self.task.error()

    def line(self) -> str:
        """Return the running task's stage for people."""
        if self.task is None:
            return ""
        return "Cancelling" if self.task.is_cancelling else self.task.stage or self.task.label

    def stop(self) -> None:
        """End a running task, as when the add-on is disabled."""
        if self.task is not None:
            self.task.cancel()
            self.task.wait(END_SECONDS)


STATUS = SetUpStatus()


def environment_state(folder: Path | None) -> environment.State:
    """Return the state of the private environment in the add-on's folder of its own files."""
    if folder is None:
        return environment.State.ABSENT
    version = environment.version_in(environment.backend_source())
    lists = (packages.LIST, packages.GENERAL_LIST)
    return environment.state_of(folder, version, *(path.read_text("utf-8") for path in lists))


def size_before(with_cuda: bool = False) -> str:
    """Return what a set-up will fetch and take on this system, or why it cannot be made here."""
    key = packages.platform_key(sys.platform, platform.machine())
    size = packages.size_for(key, with_cuda)
    if size is None:
        return "PyTorch has no files for this system: use a Python that has the packages"
    return size.sentence()


def made_of(folder: Path | None) -> str:
    """Return version, Python and size of the environment, or "" where there is none."""
    marker = None if folder is None else environment.read_marker(folder / environment.NAME)
    if marker is None:
        return ""
    return f"Version {marker.version}, Python {marker.python}, {marker.size / 1e9:.1f} GB"
