# SPDX-License-Identifier: GPL-3.0-or-later
"""Create Head from a chosen photo to the head in the scene, blocking and modal."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "ada lovelace.png"
    Image.new("RGB", (64, 64)).save(path)
    return str(path)


@pytest.fixture
def chosen(enabled, backend, photo):
    enabled.ops.rome.add_photos(filepath=photo)
    backend.sent.clear()
    return photo


def _counts(bpy):
    kinds = ("objects", "collections", "meshes", "armatures", "cameras", "materials", "images")
    return {kind: len(getattr(bpy.data, kind)) for kind in (*kinds, "shape_keys", "actions")}


def test_two_calls_from_photo_to_head(enabled, backend, chosen):
    assert enabled.ops.rome.create_head() == {"FINISHED"}
    head = enabled.context.view_layer.objects.active
    assert head.name == "Ada" and len(head.data.shape_keys.key_blocks) > 50
    sent = backend.sent[0]
    assert sent.photos == (chosen,) and sent.size == 1024
    assert (sent.head, sent.tracker, sent.networks) == ("auto", "auto", "auto")
    assert (sent.neural_size, sent.face_tightness, sent.delight) == (256, 0.0, False)
    assert sent.focal_length == 0.0


def test_the_settings_of_the_panel_are_sent(enabled, backend, chosen):
    settings = enabled.context.window_manager.rome
    settings.texture_size, settings.face, settings.seed = "512", 2, 7
    settings.head_model, settings.tracker, settings.networks = "flame", "deca", "official"
    settings.neural_size, settings.face_tightness, settings.delight = "512", 0.5, True
    settings.focal_length = 85.0
    enabled.ops.rome.create_head()
    sent = backend.sent[0]
    assert (sent.size, sent.face, sent.seed) == (512, 2, 7)
    assert (sent.head, sent.tracker, sent.networks) == ("flame", "deca", "official")
    assert (sent.neural_size, sent.face_tightness, sent.delight) == (512, 0.5, True)
    assert sent.focal_length == 85.0


def test_the_words_are_those_of_the_command_line():
    pytest.importorskip("torch", reason="the backend is not installed")
    from blender_addon import properties
    from rome_backend.avatar import choices
    from rome_backend.avatar.create_options import NEURAL_SIDES, SIZES

    def words(items):
        return [item[0] for item in items]

    assert words(properties.TRACKERS) == [choices.AUTO, *choices.TRACKERS]
    assert words(properties.NETWORKS) == [choices.AUTO, *choices.NETWORKS]
    assert words(properties.NEURAL_SIZES) == [str(side) for side in NEURAL_SIDES]
    assert set(words(properties.SIZES)) <= {str(size) for size in SIZES}


@pytest.mark.parametrize("part", [{"tracker": "deca"}, {"networks": "official"}])
def test_parts_that_do_not_fit_switch_the_button_off(enabled, backend, chosen, part):
    settings = enabled.context.window_manager.rome
    for name, word in part.items():
        setattr(settings, name, word)
    for head_model, fits in (("auto", True), ("flame", True), ("open", False)):
        settings.head_model = head_model
        assert enabled.ops.rome.create_head.poll() == fits
    with pytest.raises(RuntimeError, match="need the head model auto or flame"):
        enabled.ops.rome.create_head()


def test_without_a_photo_the_button_says_why(enabled, backend):
    assert not enabled.ops.rome.create_head.poll()
    with pytest.raises(RuntimeError, match="Choose a photo first"):
        enabled.ops.rome.create_head()


def test_while_a_job_runs_the_button_says_why(enabled, backend, chosen):
    from blender_addon.jobs import STATE

    STATE.begin("Creating the head")
    with pytest.raises(RuntimeError, match="Another job is running"):
        enabled.ops.rome.create_head()


def test_while_something_is_edited_the_button_says_why(enabled, backend, chosen):
    enabled.ops.mesh.primitive_cube_add()
    enabled.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave the editing mode first"):
        enabled.ops.rome.create_head()
    enabled.ops.object.mode_set(mode="OBJECT")


def test_a_refused_photo_leaves_the_file_as_it_was_and_says_what_to_do(enabled, backend, chosen):
    from blender_addon.jobs import STATE

    backend.failure = ("no_face", "There is no face in the photo.", "Choose another photo.")
    before = _counts(enabled)
    with pytest.raises(RuntimeError, match="no face in the photo. Choose another"):
        enabled.ops.rome.create_head()
    assert _counts(enabled) == before
    assert STATE.report.code == "no_face" and not STATE.label


def test_a_backend_that_is_gone_is_told(enabled, backend, chosen):
    from blender_addon.jobs import STATE

    backend.die()
    with pytest.raises(RuntimeError, match="The backend stopped"):
        enabled.ops.rome.create_head()
    assert STATE.report.hint and not STATE.label


def test_warnings_are_shown_in_plain_words(enabled, backend, chosen):
    from blender_addon.jobs import STATE

    backend.warnings = ("face_small", "something_new")
    enabled.ops.rome.create_head()
    assert STATE.notes[0].startswith("The face is small") and STATE.notes[1] == "something new"


def test_a_second_head_stands_beside_the_first(enabled, backend, chosen):
    enabled.ops.rome.create_head()
    first = enabled.context.view_layer.objects.active
    enabled.ops.rome.create_head()
    second = enabled.context.view_layer.objects.active
    assert first != second and second.name == "Ada.001"
    gap = second.parent.location.x - first.parent.location.x
    assert gap > max(first.dimensions.x, second.dimensions.x)


def test_one_undo_takes_everything_back(enabled, backend, chosen):
    enabled.ops.ed.undo_push(message="before")
    before = _counts(enabled)
    enabled.ops.rome.create_head()
    enabled.ops.ed.undo_push(message="Create Head")
    assert _counts(enabled) != before
    enabled.ops.ed.undo()
    assert _counts(enabled) == before


class _Modal:
    """The operator's own methods under a window that does not exist."""

    def __init__(self, bpy, operator):
        self.bpy, self.reported, self.statuses, self.timers = bpy, [], [], 0
        self.operator = operator
        operator_methods = type("Probe", (operator.__mro__[1],), {"label": operator.label})
        self.probe = operator_methods()
        self.probe.ask = lambda context: operator.ask(self.probe, context)
        self.probe.receive = lambda context, answer: operator.receive(self.probe, context, answer)
        self.probe.report = lambda kind, text: self.reported.append(text)

    def _timer_added(self, *args, **kwargs):
        self.timers += 1
        return "timer"

    def _timer_removed(self, timer):
        self.timers -= 1

    @property
    def context(self):
        manager = SimpleNamespace(
            event_timer_add=self._timer_added,
            event_timer_remove=self._timer_removed,
            modal_handler_add=lambda operator: True,
            windows=[],
            rome=self.bpy.context.window_manager.rome,
        )
        workspace = SimpleNamespace(status_text_set=self.statuses.append)
        return SimpleNamespace(
            window_manager=manager, workspace=workspace, window="window", area=None,
            scene=self.bpy.context.scene,
        )  # fmt: skip

    def start(self, monkeypatch):
        from blender_addon.operators import job

        # The module runs in the background; a person's Blender does not.
        monkeypatch.setattr(job, "bpy", SimpleNamespace(app=SimpleNamespace(background=False)))
        return self.probe.invoke(self.context, None)

    def event(self, kind="TIMER", value="NOTHING"):
        return self.probe.modal(self.context, SimpleNamespace(type=kind, value=value))


@pytest.fixture
def modal(enabled, chosen, monkeypatch):
    from blender_addon.operators.create_avatar import ROME_OT_create_head

    return _Modal(enabled, ROME_OT_create_head)


def test_modal_shows_progress_and_ends_with_the_head(enabled, backend, modal, monkeypatch):
    from blender_addon.jobs import STATE

    backend.hold = True
    assert modal.start(monkeypatch) == {"RUNNING_MODAL"}
    assert modal.timers == 1 and STATE.label == "Creating the head"
    backend.progress("texture", 0.75, 1.0)
    assert modal.event() == {"PASS_THROUGH"}  # other timers run on
    assert STATE.fraction == 0.75 and STATE.line() == "Texture  75%  1 s left"
    assert "75%" in modal.statuses[-1] and "Esc" in modal.statuses[-1]
    assert modal.event("MOUSEMOVE") == {"PASS_THROUGH"}
    backend.release()
    for _ in range(50):
        if (answer := modal.event()) == {"FINISHED"}:
            break
    assert answer == {"FINISHED"}
    assert enabled.data.objects["Ada"].data.shape_keys
    assert modal.timers == 0 and modal.statuses[-1] is None and not STATE.label


@pytest.mark.parametrize("by", ["esc", "button", "another file"])
def test_giving_up_takes_one_tick_and_leaves_nothing(enabled, backend, modal, monkeypatch, by):
    from blender_addon.jobs import STATE

    before = _counts(enabled)
    backend.hold = True
    modal.start(monkeypatch)
    modal.event()
    if by == "esc":
        assert modal.event("ESC", "PRESS") == {"CANCELLED"}
    elif by == "button":
        assert enabled.ops.rome.cancel() == {"FINISHED"}
        assert modal.event() == {"CANCELLED"}
    else:
        modal.probe.cancel(modal.context)
    assert len(backend.cancelled) == 1
    assert modal.timers == 0 and not STATE.label and _counts(enabled) == before


def test_giving_up_while_the_head_is_built_removes_its_parts(enabled, backend, modal, monkeypatch):
    from blender_addon.operators import job

    before = _counts(enabled)
    modal.start(monkeypatch)
    monkeypatch.setattr(job, "BUILD_BUDGET", 1e-9)
    for _ in range(6):
        assert modal.event() == {"RUNNING_MODAL"}
    assert _counts(enabled) != before
    # Nothing may be undone or deleted between two steps.
    assert modal.event("Z", "PRESS") == {"RUNNING_MODAL"}
    assert modal.event("ESC", "PRESS") == {"CANCELLED"}
    assert _counts(enabled) == before


def test_a_backend_that_dies_while_one_waits_is_told(enabled, backend, modal, monkeypatch):
    from blender_addon.jobs import STATE

    backend.hold = True
    modal.start(monkeypatch)
    modal.event()
    backend.die()
    assert modal.event() == {"CANCELLED"}
    assert STATE.report.code == "backend_stopped" and "stopped" in modal.reported[-1]
    assert modal.timers == 0


def test_cancel_without_a_job_says_why(enabled, backend):
    with pytest.raises(RuntimeError, match="No job is running"):
        enabled.ops.rome.cancel()


@pytest.mark.parametrize("way", ["script", "person"])
def test_an_error_of_ours_does_not_leave_the_panel_busy(enabled, backend, modal, monkeypatch, way):
    from blender_addon.jobs import STATE
    from blender_addon.operators import head_jobs

    def broken(answer):
        yield
        raise TypeError("a mistake")

    monkeypatch.setattr(head_jobs, "new_head_steps", broken)
    if way == "script":
        with pytest.raises(RuntimeError, match="a mistake"):
            enabled.ops.rome.create_head()
    else:
        modal.start(monkeypatch)
        with pytest.raises(TypeError):
            modal.event()
        assert modal.timers == 0
    assert not STATE.label and STATE.report.code == "add_on_error"
    STATE.end()
