# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel shows of a job."""

from __future__ import annotations

import pytest

from blender_addon.jobs import JobState
from blender_addon.report import Report


@pytest.mark.parametrize(
    ("stage", "fraction", "seconds", "line"),
    [
        ("", 0.0, None, "Creating the head  0%"),
        ("texture", 0.756, 12.4, "Texture  76%  12 s left"),
        ("fit", 0.5, 0.2, "Fit  50%  1 s left"),
    ],
)
def test_the_line_says_stage_share_and_time(stage, fraction, seconds, line):
    state = JobState()
    state.begin("Creating the head")
    state.show(stage, fraction, seconds)
    assert state.line() == line


def test_showing_the_same_again_changes_nothing():
    state = JobState()
    assert state.show("fit", 0.5, None)
    assert not state.show("fit", 0.5, None)


def test_a_new_job_forgets_the_last_report_and_notes():
    state = JobState()
    state.begin("first")
    state.end(Report("x", "y"), ("note",))
    assert state.report is not None and state.notes and not state.label
    state.begin("second")
    assert state == JobState(label="second")


def test_cancelling_is_said():
    state = JobState(label="a job", cancelling=True)
    assert state.line() == "Cancelling"
