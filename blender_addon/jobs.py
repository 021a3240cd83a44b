# SPDX-License-Identifier: GPL-3.0-or-later
"""What is going on, for the panel: the running job, the last error and the last notes.

Does not know bpy. It stands on a module, not in the scene: undo would roll it back.
"""

from __future__ import annotations

from dataclasses import dataclass

from .report import Report


@dataclass
class JobState:
    """The one job that a person waits for.

    label: what runs, "" when nothing does; stage, fraction in [0, 1] and eta_seconds: how far;
    cancelling: a person asked it to stop; report: the last error; notes: the last warnings.
    """

    label: str = ""
    stage: str = ""
    fraction: float = 0.0
    eta_seconds: float | None = None
    cancelling: bool = False
    report: Report | None = None
    notes: tuple[str, ...] = ()

    def begin(self, label: str) -> None:
        """A job starts; what the last one left to read is gone."""
        self.__init__(label=label)  # type: ignore[misc]

    def end(self, report: Report | None = None, notes: tuple[str, ...] = ()) -> None:
        """The job is over, well or with a report."""
        self.__init__(report=report, notes=notes)  # type: ignore[misc]

    def show(self, stage: str, fraction: float, eta_seconds: float | None) -> bool:
        """Take over how far the job is; return whether anything changed."""
        shown = (self.stage, self.fraction, self.eta_seconds)
        self.stage, self.fraction, self.eta_seconds = stage, fraction, eta_seconds
        return shown != (stage, fraction, eta_seconds)

    def line(self) -> str:
        """Return stage, percentage and time left as one line."""
        if self.cancelling:
            return "Cancelling"
        parts = [self.stage.capitalize() or self.label, f"{100.0 * self.fraction:.0f}%"]
        if self.eta_seconds is not None:
            parts.append(f"{max(1, round(self.eta_seconds))} s left")
        return "  ".join(parts)


STATE = JobState()
