# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of every operator that asks the backend for something and waits.

Does not know what is asked. A script waits in execute(); a person gets a modal operator with
progress, and Esc or Cancel give up within one tick. Only names live across ticks, because undo
invalidates every reference.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import bpy

from ..core_access import RomeError
from ..jobs import STATE
from ..pump import PUMP, Request
from ..report import Report, report_of

TICK = 0.05
BUILD_BUDGET = 0.03
BUSY = "Another job is running"
OURS = Report(
    "add_on_error",
    "Something went wrong inside the add-on.",
    "Copy the report, and what Blender's console says, and send us both.",
)


class BackendJob:
    """Mixin of operators: ask() makes the request, receive() puts the answer into the scene.

    label: what the panel shows while it runs.
    """

    label: ClassVar[str] = ""
    _request: Request | None = None
    _answer: Any = None
    _steps: Iterator[None] | None = None
    _timer: bpy.types.Timer | None = None

    def ask(self, context: bpy.types.Context) -> Request:
        """Send the request; RomeError where it cannot be made."""
        raise NotImplementedError

    def follow_up(self, context: bpy.types.Context, answer: Any) -> Request | None:
        """Send another request that needs the answer of the one before; None: that was all."""
        return None

    def receive(self, context: bpy.types.Context, answer: Any) -> Iterator[None]:
        """Put the answer into the scene in short steps; RomeError where it does not fit."""
        raise NotImplementedError

    def notes(self, answer: Any) -> tuple[str, ...]:
        """Return what a person should know about the answer."""
        return ()

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do all of it at once and return when it is done, for scripts."""
        STATE.begin(self.label)
        with self._ending_in_any_case(context):
            try:
                answer = PUMP.wait(self.ask(context))
                while (more := self.follow_up(context, answer)) is not None:
                    answer = PUMP.wait(more)
                for _ in self.receive(context, answer):
                    pass
            except RomeError as error:
                return self._failed(report_of(error))
            STATE.end(notes=self.notes(answer))
        return {"FINISHED"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start the request and stay modal until its answer is in the scene."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        STATE.begin(self.label)
        with self._ending_in_any_case(context):
            try:
                self._request = self.ask(context)
            except RomeError as error:
                return self._failed(report_of(error))
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK, window=context.window)
        manager.modal_handler_add(self)
        show_status(context, f"{self.label}...  Esc: cancel")
        redraw(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take what has arrived, build for a few milliseconds, or give up."""
        if STATE.cancelling or (event.type == "ESC" and event.value == "PRESS"):
            return self._given_up(context)
        if event.type != "TIMER":
            # An undo between two building steps would pull the objects from under them.
            return self._running()
        with self._ending_in_any_case(context):
            try:
                done = self._advance(context)
            except RomeError as error:
                self._leave(context)
                return self._failed(report_of(error))
            if not done:
                return self._running()
            notes = self.notes(self._answer)
            self._leave(context)
            STATE.end(notes=notes)
        return {"FINISHED"}

    def _running(self) -> set[str]:
        return {"RUNNING_MODAL"} if self._steps is not None else {"PASS_THROUGH"}

    @contextmanager
    def _ending_in_any_case(self, context: bpy.types.Context) -> Iterator[None]:
        """Let no error of ours leave the panel busy for good; the error itself goes on."""
        passed = False
        try:
            yield
            passed = True
        finally:
            if not passed and STATE.label:
                self._leave(context)
                STATE.end(report=OURS)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself, as when another file is opened."""
        self._given_up(context)

    def _advance(self, context: bpy.types.Context) -> bool:
        """Do one tick's work; return whether everything is done."""
        assert self._request is not None
        if self._steps is None:
            self._answer = PUMP.look(self._request)
            if self._answer is None:
                self._show(context)
                return False
            more = self.follow_up(context, self._answer)
            if more is not None:
                self._request = more
                return False
            self._steps = self.receive(context, self._answer)
        until = time.perf_counter() + BUILD_BUDGET
        while next(self._steps, self) is not self:
            if time.perf_counter() > until:
                return False
        return True

    def _show(self, context: bpy.types.Context) -> None:
        """Show how far the request is, where that changed."""
        assert self._request is not None
        far = PUMP.how_far(self._request)
        if STATE.show(far.stage, far.fraction, far.eta_seconds):
            show_status(context, f"{self.label}: {STATE.line()}    Esc: cancel")
            redraw(context)

    def _given_up(self, context: bpy.types.Context) -> set[str]:
        if self._request is not None:
            PUMP.cancel(self._request)
        self._leave(context)
        STATE.end()
        self.report({"WARNING"}, "Cancelled")  # type: ignore[attr-defined]
        return {"CANCELLED"}

    def _failed(self, report: Report) -> set[str]:
        STATE.end(report=report)
        self.report({"ERROR"}, report.sentence())  # type: ignore[attr-defined]
        return {"CANCELLED"}

    def _leave(self, context: bpy.types.Context) -> None:
        """Take back what the modal operator put up; a half-built head is removed."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()
        self._steps, self._request, self._answer = None, None, None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        show_status(context, None)
        redraw(context)


def refuse_when_busy(operator: type[bpy.types.Operator]) -> bool:
    """Return whether no job runs, and say in the operator's tooltip if one does."""
    if STATE.label:
        operator.poll_message_set(BUSY)
        return False
    return True


def nothing_is_edited(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Return whether heads can be built now, and say in the tooltip what is in the way."""
    if context.mode not in ("OBJECT", "POSE"):
        operator.poll_message_set("Leave the editing mode first")
        return False
    return True


def show_status(context: bpy.types.Context, text: str | None) -> None:
    """Show a text in the status bar, None for Blender's own."""
    if context.workspace is not None:
        context.workspace.status_text_set(text)


def redraw(context: bpy.types.Context) -> None:
    """Have all 3D views drawn again, with their sidebars."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
