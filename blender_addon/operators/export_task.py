# SPDX-License-Identifier: GPL-3.0-or-later
"""The modal half of the export operators: hand the head over, wait, put the files in place.

Does not know formats or choices. Nothing here holds the window: the head's data are written in
short steps, another Blender exports them, and Esc or Cancel end it within a tick.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import bpy

from ..backend.task import Task, Work
from ..core_access import RomeError
from ..exporters.formats import Format
from ..exporters.hand_over import hand_over_steps
from ..exporters.head_export import Choice
from ..exporters.other_blender import command, export_elsewhere
from ..exporters.place import place, staging
from ..jobs import STATE
from ..report import report_of
from .job import redraw, show_status

TICK = 0.1
END_SECONDS = 2.0


class ExportTask:
    """Mixin of operators that export in another Blender while this one goes on."""

    _steps: Iterator[None] | None = None
    _task: Task | None = None
    _work: tuple[Path, Path] | None = None
    _undo: ExitStack | None = None
    _timer: bpy.types.Timer | None = None
    _made: list[Path] | None = None

    def start(
        self,
        context: bpy.types.Context,
        head: bpy.types.Object,
        target: Path,
        kind: Format,
        choice: Choice,
    ) -> set[str]:
        """Begin to export a head to a file, and stay modal; RomeError 'cannot_write'."""
        with ExitStack() as undo:
            folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="rome-export-")))
            made = undo.enter_context(staging(target))
            self._undo = undo.pop_all()
        self._work = (folder, target)
        self._steps = hand_over_steps(context, head, folder, made / target.name, kind, choice)
        STATE.begin(f"Exporting {head.name}")
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK, window=context.window)
        manager.modal_handler_add(self)
        show_status(context, f"{STATE.label}...  Esc: cancel")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Do a step, look whether the other Blender is done, or give up."""
        if event.type == "ESC" and event.value == "PRESS":
            STATE.cancelling = True
        # An undo between two steps would pull the head from under them.
        running = {"RUNNING_MODAL"} if self._steps is not None else {"PASS_THROUGH"}
        if event.type != "TIMER":
            return running
        if STATE.cancelling:
            if self._task is None or self._task.is_done:
                return self._given_up(context)
            self._task.cancel()
            return running
        try:
            if not self.advance(context):
                return running
            files = self._placed()
        except RomeError as error:
            self._leave(context)
            report = report_of(error)
            STATE.end(report=report)
            self.report({"ERROR"}, report.sentence())  # type: ignore[attr-defined]
            return {"CANCELLED"}
        self._leave(context)
        STATE.end()
        self.report({"INFO"}, f"Exported to {files[-1].name}")  # type: ignore[attr-defined]
        return {"FINISHED"}

    def advance(self, context: bpy.types.Context) -> bool:
        """Do one short step; return whether the files are there. RomeError where they cannot be."""
        assert self._work is not None
        folder, _ = self._work
        if self._steps is not None:
            if next(self._steps, self) is self:
                self._steps = None
                self._task = Task(STATE.label, self._work_elsewhere(folder))
            return False
        assert self._task is not None
        if STATE.show(self._task.stage, self._task.fraction, None):
            show_status(context, f"{STATE.label}: {STATE.line()}    Esc: cancel")
            redraw(context)
        if not self._task.is_done:
            return False
        error = self._task.error()
        if error is not None:
            raise error
        return True

    def _work_elsewhere(self, folder: Path) -> Work:
        program = command(folder)

        def work(report: Callable[[str, float], None], cancel: Event) -> None:
            self._made = export_elsewhere(program, folder, report, cancel)

        return work

    def _placed(self) -> list[Path]:
        assert self._made is not None and self._work is not None
        return place(self._made, self._work[1].parent)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself, as when another file is opened."""
        if self._task is not None:
            self._task.cancel()
            self._task.wait(END_SECONDS)
        self._given_up(context)

    def _given_up(self, context: bpy.types.Context) -> set[str]:
        self._leave(context)
        STATE.end()
        self.report({"WARNING"}, "Cancelled")  # type: ignore[attr-defined]
        return {"CANCELLED"}

    def _leave(self, context: bpy.types.Context) -> None:
        """Take back what was put up; the files that are not in place are gone."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()
        self._steps, self._task = None, None
        if self._undo is not None:
            self._undo.close()
            self._undo = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        show_status(context, None)
        redraw(context)
