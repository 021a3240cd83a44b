# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of the set-up: when they refuse, how they follow a task, how they end.

Does not open a window: its timer and events are made here.
"""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from blender_addon.core_access import Cancelled, RomeError

SECONDS = 10.0


@pytest.fixture
def task_module(enabled, monkeypatch):
    """The module under test in a Blender with a window, with a status of its own."""
    from blender_addon.operators import backend, set_up_task
    from blender_addon.set_up_status import SetUpStatus

    status = SetUpStatus()
    for module in (set_up_task, backend):
        monkeypatch.setattr(module, "STATUS", status)
    window = SimpleNamespace(background=False, online_access=True)
    monkeypatch.setattr(set_up_task, "bpy", SimpleNamespace(app=window))
    yield set_up_task
    status.stop()


class Manager:
    """A window manager that counts timers and handlers."""

    def __init__(self):
        self.timers, self.handlers, self.windows = [], 0, []

    def event_timer_add(self, seconds, window):
        self.timers.append(seconds)
        return seconds

    def event_timer_remove(self, timer):
        self.timers.remove(timer)

    def modal_handler_add(self, operator):
        self.handlers += 1


@pytest.fixture
def context():
    """A context with a window, whose areas are written down when they are redrawn."""
    area = SimpleNamespace(type="PREFERENCES", tag_redraw=lambda: None)
    manager = Manager()
    manager.windows = [SimpleNamespace(screen=SimpleNamespace(areas=[area]))]
    return SimpleNamespace(window=object(), window_manager=manager)


def _event(kind="TIMER", value="NOTHING"):
    return SimpleNamespace(type=kind, value=value)


def _operator(module, work):
    class Operator(module.SetUpTask):
        label = "Working"
        said = ()

        def work(self, context):
            return work

        def report(self, kind, text):
            self.said = (*self.said, (*kind, text))

    return Operator()


def test_a_person_gets_a_modal_operator_that_ends_with_the_task(task_module, context):
    go_on = threading.Event()
    operator = _operator(task_module, lambda report, cancel: go_on.wait(SECONDS))
    assert operator.invoke(context, _event()) == {"RUNNING_MODAL"}
    assert context.window_manager.timers and context.window_manager.handlers == 1
    assert operator.modal(context, _event()) == {"PASS_THROUGH"}
    go_on.set()
    assert task_module.STATUS.task.wait(SECONDS)
    assert operator.modal(context, _event()) == {"FINISHED"}
    assert context.window_manager.timers == [] and operator.said == ()


def _until_cancelled(report, cancel):
    assert cancel.wait(SECONDS)
    raise Cancelled()


def test_escape_stops_the_task(task_module, context):
    operator = _operator(task_module, _until_cancelled)
    operator.invoke(context, _event())
    assert operator.modal(context, _event("ESC", "PRESS")) == {"PASS_THROUGH"}
    assert task_module.STATUS.task.wait(SECONDS)
    assert operator.modal(context, _event()) == {"CANCELLED"}
    assert [kind for kind, _ in operator.said] == ["WARNING"]
    assert context.window_manager.timers == []


def test_other_keys_do_not(task_module, context):
    operator = _operator(task_module, _until_cancelled)
    operator.invoke(context, _event())
    for event in (_event("ESC", "RELEASE"), _event("A", "PRESS"), _event("MOUSEMOVE")):
        assert operator.modal(context, event) == {"PASS_THROUGH"}
    assert not task_module.STATUS.task.is_cancelling


def test_a_closed_window_lets_the_task_go_on(task_module, context):
    operator = _operator(task_module, _until_cancelled)
    operator.invoke(context, _event())
    operator.cancel(context)
    assert context.window_manager.timers == []
    assert task_module.STATUS.is_running and not task_module.STATUS.task.is_cancelling


def test_a_failure_is_reported_with_its_next_step(task_module, context):
    def fail(report, cancel):
        raise RomeError("broken", "It broke.", "Mend it.")

    operator = _operator(task_module, fail)
    assert operator.execute(context) == {"CANCELLED"}
    assert operator.said == (("ERROR", "It broke. Mend it."),)
    assert task_module.STATUS.error().code == "broken"


def test_a_script_waits_until_it_is_done(task_module, context):
    done = []
    operator = _operator(task_module, lambda report, cancel: done.append(1))
    assert operator.execute(context) == {"FINISHED"} and done == [1]


@pytest.mark.parametrize("button", ["set_up", "repair", "remove"])
def test_in_a_checkout_there_is_no_place_for_an_environment(enabled, button):
    with pytest.raises(RuntimeError, match="Install the add-on|nothing to|Online Access"):
        getattr(enabled.ops.rome, f"backend_{button}")()


def test_while_one_task_runs_no_other_starts(task_module, context):
    from blender_addon.operators.backend import ROME_OT_backend_cancel, ROME_OT_backend_check

    said = []
    operator = _operator(task_module, _until_cancelled)
    operator.invoke(context, _event())
    poll = ROME_OT_backend_check.poll.__func__
    cls = type("Asked", (task_module.SetUpTask,), {"poll_message_set": said.append})
    assert poll(cls, context) is False and said == [task_module.BUSY]
    assert ROME_OT_backend_cancel.poll(context)
    task_module.STATUS.stop()
    assert poll(cls, context) is True


def test_a_log_that_was_never_written_cannot_be_opened(enabled):
    assert enabled.ops.rome.backend_open_log(log="backend.log") == {"CANCELLED"}


def test_disabling_the_add_on_ends_a_running_task(enabled):
    from blender_addon.operators import backend

    task = backend.STATUS.start("Working", _until_cancelled)
    backend.unregister()
    assert task.is_done and task.error().code == "cancelled"
    backend.STATUS.task = None


@pytest.mark.parametrize(
    ("index", "with_cuda", "name"),
    [("", False, "LIST"), (" https://a.b/c ", False, "LIST"), ("", True, "GENERAL_LIST")],
)
def test_set_up_takes_the_list_that_was_chosen(
    task_module, monkeypatch, tmp_path, index, with_cuda, name
):
    from blender_addon.backend import packages
    from blender_addon.operators import backend

    monkeypatch.setattr(backend, "user_folder", lambda: tmp_path)
    chosen = SimpleNamespace(torch_index=index, with_cuda=with_cuda)
    monkeypatch.setattr(backend, "preferences_of", lambda context: chosen)
    monkeypatch.setattr(backend.sys, "platform", "linux")
    (options,) = backend.ROME_OT_backend_set_up.work(None, None).args
    assert options.list_path == getattr(packages, name)
    assert options.with_cuda is with_cuda
    assert options.torch_index == index.strip() and options.folder == tmp_path
