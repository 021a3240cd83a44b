# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting up, repairing, checking and removing what the backend runs in.

Does not know how an environment is made, nor how progress is shown.
"""

from __future__ import annotations

import sys
import threading
from functools import partial
from pathlib import Path

import bpy

from ..backend import environment, install, models, packages
from ..backend.client import close_shared
from ..backend.locate import Choice, find_backend
from ..backend.task import Work
from ..connection import chosen_backend
from ..folders import user_folder
from ..preferences import preferences_of
from ..set_up_status import STATUS, environment_state
from .set_up_task import SetUpTask

MODELS_START = 0.9
NOT_INSTALLED = "Install the add-on from its zip first"


class _MakeEnvironment(SetUpTask):
    """Mixin of Set Up and Repair, which differ in what they are called."""

    needs_internet = True

    @classmethod
    def reason_against(cls) -> str:
        """It needs the folder that Blender gives to an installed extension."""
        return NOT_INSTALLED if user_folder() is None else ""

    def work(self, context: bpy.types.Context) -> Work:
        """Make the environment, then fetch the model files."""
        folder = user_folder()
        assert folder is not None
        chosen = preferences_of(context)
        options = install.Options(
            folder,
            bpy.app.online_access,
            chosen.torch_index.strip(),
            chosen.with_cuda,
            list_path=packages.list_for(sys.platform, chosen.with_cuda),
        )
        return partial(_make, options)


def _make(options: install.Options, report: install.Report, cancel: threading.Event) -> None:
    close_shared()  # it may take a second, so not on the main thread
    install.set_up(options, lambda stage, far: report(stage, far * MODELS_START), cancel)
    close_shared()  # one that was started meanwhile runs the old environment
    launch = find_backend(Choice(folder=options.folder))
    further = 1.0 - MODELS_START
    models.fetch(
        launch, options.online, lambda s, far: report(s, MODELS_START + further * far), cancel
    )
    STATUS.models = True


class ROME_OT_backend_set_up(_MakeEnvironment, bpy.types.Operator):
    """Make the private environment."""

    bl_idname = "rome.backend_set_up"
    bl_label = "Set Up"
    bl_description = (
        "Make a private Python environment for the backend and fetch its packages and model "
        "files. Nothing else on this computer is changed"
    )
    label = "Setting up"


class ROME_OT_backend_repair(_MakeEnvironment, bpy.types.Operator):
    """Make the private environment anew."""

    bl_idname = "rome.backend_repair"
    bl_label = "Repair"
    bl_description = (
        "Make the private environment anew, for this version of the add-on. The old one stays "
        "until the new one works"
    )
    label = "Repairing"

    @classmethod
    def reason_against(cls) -> str:
        """There must be something to repair."""
        absent = environment_state(user_folder()) is environment.State.ABSENT
        return "There is nothing to repair: press Set Up" if absent else ""


class ROME_OT_backend_remove(SetUpTask, bpy.types.Operator):
    """Delete the private environment."""

    bl_idname = "rome.backend_remove"
    bl_label = "Remove"
    bl_description = "Delete the private environment. Heads in your files keep animating"
    label = "Removing"

    @classmethod
    def reason_against(cls) -> str:
        """There must be something to remove."""
        absent = environment_state(user_folder()) is environment.State.ABSENT
        return "There is nothing to remove" if absent else ""

    def work(self, context: bpy.types.Context) -> Work:
        """End the backend and delete what it ran in."""
        folder = user_folder()
        assert folder is not None
        return partial(_remove, folder)


def _remove(folder: Path, report: install.Report, cancel: threading.Event) -> None:
    close_shared()
    environment.remove(folder)


class ROME_OT_backend_fetch_models(SetUpTask, bpy.types.Operator):
    """Fetch the face tracker's model files."""

    bl_idname = "rome.backend_fetch_models"
    bl_label = "Fetch Model Files"
    bl_description = f"Fetch the face tracker's model files, once ({models.SIZE})"
    label = models.STAGE
    needs_internet = True

    def work(self, context: bpy.types.Context) -> Work:
        """Let the backend fetch them."""
        return partial(_fetch, chosen_backend(), bpy.app.online_access)


def _fetch(choice: Choice, online: bool, report: install.Report, cancel: threading.Event) -> None:
    models.fetch(find_backend(choice), online, report, cancel)
    STATUS.models = True


class ROME_OT_backend_check(SetUpTask, bpy.types.Operator):
    """Check the Python that runs the backend."""

    bl_idname = "rome.backend_check"
    bl_label = "Check"
    bl_description = "Start the chosen Python and look whether it has all that the backend needs"
    label = "Checking"

    def work(self, context: bpy.types.Context) -> Work:
        """Start that Python twice: for the packages, and for the model files."""
        STATUS.python, STATUS.models = "", None
        return partial(_check, chosen_backend())


def _check(choice: Choice, report: install.Report, cancel: threading.Event) -> None:
    launch = find_backend(choice)
    STATUS.python = models.check(launch, cancel)
    report("Checking", 0.8)
    STATUS.models = models.are_installed(launch, cancel)


class ROME_OT_backend_cancel(bpy.types.Operator):
    """Stop the running task."""

    bl_idname = "rome.backend_cancel"
    bl_label = "Cancel"
    bl_description = "Stop; what was there before stays as it was"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Something runs."""
        if not STATUS.is_running:
            cls.poll_message_set("Nothing is running")
        return STATUS.is_running

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask it to stop; it is over a moment later."""
        assert STATUS.task is not None
        STATUS.task.cancel()
        return {"FINISHED"}


class ROME_OT_backend_open_log(bpy.types.Operator):
    """Open a log in the system's own program."""

    bl_idname = "rome.backend_open_log"
    bl_label = "Open Log"
    bl_description = "Open what the last set-up or the backend wrote"

    log: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Log",
        description="Which of the two logs to open",
        options={"SKIP_SAVE"},
        items=(
            (install.LOG, "Set-up", "What the last set-up wrote"),
            ("backend.log", "Backend", "What the backend wrote"),
        ),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open the file if there is one."""
        folder = user_folder()
        path = None if folder is None else folder / self.log
        if path is None or not path.is_file():
            self.report({"WARNING"}, "This log has not been written yet.")
            return {"CANCELLED"}
        bpy.ops.wm.path_open(filepath=str(path))
        return {"FINISHED"}


def register() -> None:
    """Nothing to do: tasks start with a button."""


def unregister() -> None:
    """End a running task with its children."""
    STATUS.stop()


CLASSES = (
    ROME_OT_backend_set_up,
    ROME_OT_backend_repair,
    ROME_OT_backend_remove,
    ROME_OT_backend_fetch_models,
    ROME_OT_backend_check,
    ROME_OT_backend_cancel,
    ROME_OT_backend_open_log,
)
