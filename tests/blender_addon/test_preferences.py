# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences show in each state of the backend, drawn on a layout that writes down.

Does not open a window.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

from blender_addon import preferences, set_up_status
from blender_addon.backend import packages
from blender_addon.backend.environment import (
    NAME,
    Marker,
    environment_python,
    write_marker,
)
from blender_addon.core_access import RomeError, Welcome
from blender_addon.set_up_status import SetUpStatus, size_before


@dataclass
class Layout:
    """A layout of which all parts are itself."""

    texts: list = field(default_factory=list)
    buttons: list = field(default_factory=list)
    props: list = field(default_factory=list)

    def box(self, **options):
        return self

    row = column = box

    def label(self, text="", icon=""):
        self.texts.append(text)

    def progress(self, factor=0.0, text=""):
        self.texts.append(f"{factor:.2f} {text}")

    def operator(self, name, text="", icon=""):
        self.buttons.append(name)
        return SimpleNamespace()

    def prop(self, owner, name):
        self.props.append(name)


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A function that draws the preferences and returns the layout."""
    monkeypatch.setattr(preferences, "user_folder", lambda: tmp_path)
    monkeypatch.setattr(preferences, "STATUS", SetUpStatus())

    def draw(python_path="", with_cuda=False):
        layout = Layout()
        owner = SimpleNamespace(layout=layout, python_path=python_path, with_cuda=with_cuda)
        preferences.ROME_AddonPreferences.draw(owner, None)
        return layout

    return draw


def _make(folder, version):
    python = environment_python(folder / NAME)
    python.parent.mkdir(parents=True)
    python.touch()
    list_text = packages.LIST.read_text("utf-8")
    marker = Marker(version, packages.fingerprint(list_text), "3.11.7", 1_300_000_000)
    write_marker(folder / NAME, marker)


def test_before_set_up_the_button_stands_beside_the_size(drawn):
    layout = drawn()
    assert "rome.backend_set_up" in layout.buttons
    assert not {"rome.backend_repair", "rome.backend_remove"} & set(layout.buttons)
    assert any(size_before() in text for text in layout.texts)


def test_ready_it_shows_what_it_is_and_can_be_repaired_and_removed(drawn, tmp_path):
    import rome_backend

    _make(tmp_path, rome_backend.__version__)
    layout = drawn()
    assert "rome.backend_set_up" not in layout.buttons
    assert {"rome.backend_repair", "rome.backend_remove"} <= set(layout.buttons)
    assert "Backend: Ready" in layout.texts
    expected = f"Version {rome_backend.__version__}, Python 3.11.7, 1.3 GB"
    assert any(expected in text for text in layout.texts)


def test_of_another_version_it_says_press_repair(drawn, tmp_path):
    _make(tmp_path, "0.0.1")
    layout = drawn()
    assert any("another version" in text and "Press Repair" in text for text in layout.texts)
    assert "rome.backend_repair" in layout.buttons


def test_while_something_runs_there_is_progress_and_cancel_only(drawn):
    go_on = threading.Event()

    def work(report, cancel):
        report("Fetching torch", 0.25)
        assert go_on.wait(10.0)

    task = preferences.STATUS.start("Setting up", work)
    while not task.stage:
        pass
    layout = drawn()
    assert "0.25 Fetching torch" in layout.texts and "rome.backend_cancel" in layout.buttons
    assert "rome.backend_set_up" not in layout.buttons
    task.cancel()
    assert "0.25 Cancelling" in drawn().texts
    go_on.set()
    assert task.wait(10.0)
    assert "rome.backend_set_up" in drawn().buttons


def test_what_went_wrong_stays_with_its_next_step(drawn):
    def work(report, cancel):
        raise RomeError("python_missing", "Python 3.11 was not found.", "Install it.")

    assert preferences.STATUS.start("Setting up", work).wait(10.0)
    texts = drawn().texts
    assert "Python 3.11 was not found." in texts and "Install it." in texts


def test_missing_model_files_can_be_fetched_and_unknown_ones_checked(drawn, tmp_path):
    assert "rome.backend_fetch_models" not in drawn().buttons
    preferences.STATUS.models = False
    assert "rome.backend_fetch_models" in drawn().buttons
    assert "rome.backend_check" in drawn(python_path=sys.executable).buttons


def test_a_python_of_one_s_own_is_named(drawn):
    assert "Backend: Your own Python" in drawn(sys.executable).texts
    preferences.STATUS.python = "3.11.7"
    assert "Backend: Python 3.11.7 has the packages" in drawn(sys.executable).texts


def test_a_long_next_step_is_broken_into_lines(drawn):
    def work(report, cancel):
        raise RomeError("long", "It is long.", "Do this and that. " * 20)

    assert preferences.STATUS.start("Setting up", work).wait(10.0)
    texts = drawn().texts
    assert max(map(len, texts)) <= preferences.LETTERS + 10
    assert " ".join(each for each in texts if "this" in each) == ("Do this and that. " * 20).strip()


def test_without_the_internet_it_says_where_to_allow_it(drawn, tmp_path, monkeypatch):
    import rome_backend

    app = SimpleNamespace(online_access=True)
    monkeypatch.setattr(preferences, "bpy", SimpleNamespace(app=app))
    assert preferences.OFFLINE not in drawn().texts
    app.online_access = False
    assert preferences.OFFLINE in drawn().texts
    _make(tmp_path, rome_backend.__version__)
    assert preferences.OFFLINE not in drawn().texts


def test_linux_takes_the_small_build_unless_cuda_is_ticked(drawn, monkeypatch):
    monkeypatch.setattr(set_up_status.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(set_up_status.sys, "platform", "linux")
    large, small = packages.GENERAL_SIZES["linux-x86_64"], packages.SIZES["linux-x86_64"]
    layout = drawn()
    assert {"with_cuda", "torch_index"} <= set(layout.props)
    first = next(text for text in layout.texts if text.startswith("Private environment"))
    assert small.sentence() in first
    layout = drawn(with_cuda=True)
    assert "torch_index" not in layout.props
    assert any(text.endswith(large.sentence()) for text in layout.texts)


def test_elsewhere_there_is_one_build_and_nothing_to_choose(drawn, monkeypatch):
    for system in ("win32", "darwin"):
        monkeypatch.setattr(preferences.sys, "platform", system)
        assert not {"torch_index", "with_cuda"} & set(drawn().props)


def test_device_and_log_level_are_offered_in_every_state(drawn):
    assert {"device", "log_level"} <= set(drawn().props)
    assert {"device", "log_level"} <= set(drawn(sys.executable).props)


def test_without_the_add_on_enabled_there_are_no_preferences():
    addons = SimpleNamespace(preferences=SimpleNamespace(addons={}))
    with pytest.raises(LookupError, match="not enabled"):
        preferences.preferences_of(addons)


@pytest.mark.parametrize(
    ("weights", "said"), [("", "not installed"), ("0123456789abcdef", "weights 0123456789abcdef")]
)
def test_a_backend_that_was_started_says_its_networks(drawn, monkeypatch, weights, said):
    client = SimpleNamespace(welcome=None)
    monkeypatch.setattr(preferences, "shared", lambda: client)
    assert not any("networks" in text for text in drawn().texts)
    client.welcome = Welcome(1, "0.1.0", weights=weights)
    assert f"ROME's own networks: {said}" in drawn().texts
