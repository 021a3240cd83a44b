# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the operators that set the backend up: start one task, show it, end it.

Does not know what is done. Scripts wait in execute(); a person gets a modal operator with
progress, and Esc or Cancel end the children within a moment.
"""

from __future__ import annotations

from typing import ClassVar

import bpy

from ..backend.task import Work
from ..set_up_status import STATUS

TICK = 0.2
BUSY = "A set-up is running"
OFFLINE = "Allow Online Access in Preferences > System > Network first"


class SetUpTask:
    """Mixin of operators that start one task and show it to its end."""

    label: ClassVar[str] = ""
    needs_internet: ClassVar[bool] = False
    _timer: bpy.types.Timer | None = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One task at a time, and the internet where it is needed."""
        reason = ""
        if STATUS.is_running:
            reason = BUSY
        elif cls.needs_internet and not bpy.app.online_access:
            reason = OFFLINE
        else:
            reason = cls.reason_against()
        if reason:
            cls.poll_message_set(reason)  # type: ignore[attr-defined]
        return not reason

    @classmethod
    def reason_against(cls) -> str:
        """Return why this operator makes no sense now, or ""."""
        return ""

    def work(self, context: bpy.types.Context) -> Work:
        """Return what is to be done, with everything that Blender knows handed in."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it and return when it is done, for scripts."""
        STATUS.start(self.label, self.work(context)).wait()
        return self._ended()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Start it and stay modal until it is over."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        STATUS.start(self.label, self.work(context))
        manager = context.window_manager
        self._timer = manager.event_timer_add(TICK, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Show how far it is; Esc asks it to stop."""
        assert STATUS.task is not None
        if event.type == "ESC" and event.value == "PRESS":
            STATUS.task.cancel()
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        _redraw(context)
        if STATUS.is_running:
            return {"PASS_THROUGH"}
        self._remove_timer(context)
        return self._ended()

    def cancel(self, context: bpy.types.Context) -> None:
        """Its window is closed: the task goes on, and the preferences show it when opened."""
        self._remove_timer(context)

    def _remove_timer(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None

    def _ended(self) -> set[str]:
        error = STATUS.error()
        if error is None:
            return {"FINISHED"}
        kind = "WARNING" if error.code == "cancelled" else "ERROR"
        self.report({kind}, f"{error.message} {error.hint}")  # type: ignore[attr-defined]
        return {"CANCELLED"}


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"PREFERENCES", "VIEW_3D"}:
                area.tag_redraw()
