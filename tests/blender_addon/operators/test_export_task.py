# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's export: modal to its end, given up, failed; nothing is left but what was asked for."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

pytest.importorskip("bpy")

from blender_addon.core_access import RomeError
from blender_addon.exporters.formats import GLB
from blender_addon.exporters.head_export import Choice
from blender_addon.jobs import STATE
from blender_addon.operators import export_task
from blender_addon.operators.export_task import ExportTask


class Window:
    """An operator under a window that does not exist."""

    def __init__(self, bpy, head, target):
        self.reported, self.statuses, self.timers = [], [], 0
        manager = SimpleNamespace(
            event_timer_add=self._timer_added,
            event_timer_remove=self._timer_removed,
            modal_handler_add=lambda operator: True,
            windows=[],
        )
        self.context = SimpleNamespace(
            window_manager=manager,
            workspace=SimpleNamespace(status_text_set=self.statuses.append),
            window="window",
            scene=bpy.context.scene,
            view_layer=bpy.context.view_layer,
        )
        self.operator = ExportTask()
        self.operator.report = lambda kind, text: self.reported.append(text)
        self.target = target
        self.answer = self.operator.start(self.context, head, target, GLB, Choice())

    def _timer_added(self, *args, **kwargs):
        self.timers += 1
        return "timer"

    def _timer_removed(self, timer):
        self.timers -= 1

    def event(self, kind="TIMER", value="NOTHING"):
        self.answer = self.operator.modal(self.context, SimpleNamespace(type=kind, value=value))
        return self.answer

    def until_over(self, seconds=60.0):
        deadline = time.monotonic() + seconds
        while not self.answer & {"FINISHED", "CANCELLED"} and time.monotonic() < deadline:
            self.event()
            time.sleep(0.02)
        return self.answer

    def is_clean(self):
        return self.timers == 0 and not STATE.label and self.statuses[-1] is None


@pytest.fixture
def window(enabled, rig, tmp_path):
    from blender_addon.rig.build import build_head

    made = []

    def open_window():
        head = build_head(rig).mesh
        enabled.context.view_layer.update()
        (tmp_path / "out").mkdir()
        made.append(Window(enabled, head, tmp_path / "out" / "Ada.glb"))
        return made[0]

    STATE.end()
    yield open_window
    for each in made:
        if not each.answer & {"FINISHED", "CANCELLED"}:
            each.operator.cancel(each.context)


def made_by(files):
    """Stand in for the other Blender: the files it makes in the folder it was given."""

    def export(program, folder, report, cancel):
        import json

        report("exporting", 0.4)
        target = json.loads((folder / "job.json").read_text())["target"]
        paths = []
        for name, text in files.items():
            path = type(folder)(target).with_name(name)
            path.write_text(text)
            paths.append(path)
        return paths

    return export


def test_it_goes_on_in_another_blender_and_ends_with_the_files(window):
    made = window()
    assert made.answer == {"RUNNING_MODAL"} and STATE.label.startswith("Exporting")
    assert made.event("MOUSEMOVE") == {"RUNNING_MODAL"}  # no undo between two steps
    assert made.until_over() == {"FINISHED"}
    assert any("Esc" in text for text in made.statuses if text)
    assert made.reported == ["Exported to Ada.glb"] and made.is_clean()
    found = sorted(path.name for path in made.target.parent.iterdir())
    assert found == ["Ada.glb", "Ada.glb.rome.json"]


def test_files_appear_together_at_the_end_and_replace_old_ones(window, monkeypatch):
    files = {"Ada.png": "picture", "Ada.glb": "head"}
    monkeypatch.setattr(export_task, "export_elsewhere", made_by(files))
    made = window()
    made.target.write_text("old")
    assert made.until_over() == {"FINISHED"} and made.is_clean()
    assert {path.name: path.read_text() for path in made.target.parent.iterdir()} == files


@pytest.mark.parametrize("by", ["escape", "button", "blender"])
def test_given_up_nothing_is_left(window, by):
    made = window()
    while made.operator._task is None:
        assert made.event() in ({"RUNNING_MODAL"}, {"PASS_THROUGH"})
    if by == "escape":
        assert made.event("ESC", "PRESS") == {"PASS_THROUGH"}
        assert STATE.line() == "Cancelling"
    elif by == "button":
        STATE.cancelling = True
    else:
        made.operator.cancel(made.context)
        made.answer = {"CANCELLED"}
    assert made.until_over(10.0) == {"CANCELLED"}
    assert made.reported == ["Cancelled"] and made.is_clean()
    assert not list(made.target.parent.iterdir())


def test_given_up_before_the_other_blender_started(window):
    made = window()
    made.event("ESC", "PRESS")
    assert made.event() == {"CANCELLED"} and made.is_clean()
    assert not list(made.target.parent.iterdir())


def test_a_failure_is_a_sentence_and_leaves_nothing(window, monkeypatch):
    def fail(*arguments):
        raise RomeError("export_failed", "It failed.", "Try again.")

    monkeypatch.setattr(export_task, "export_elsewhere", fail)
    made = window()
    assert made.until_over() == {"CANCELLED"} and made.is_clean()
    assert made.reported == ["It failed. Try again."]
    assert STATE.report is not None and not list(made.target.parent.iterdir())


def test_a_folder_that_is_not_there_is_said_at_once(enabled, rig, tmp_path):
    from blender_addon.rig.build import build_head

    with pytest.raises(RomeError) as failed:
        Window(enabled, build_head(rig).mesh, tmp_path / "gone" / "Ada.glb")
    assert failed.value.code == "cannot_write" and not STATE.label
