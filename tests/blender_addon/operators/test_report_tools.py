# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying and dismissing a report."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from blender_addon.core_access import Welcome
from blender_addon.jobs import STATE
from blender_addon.operators import report_tools
from blender_addon.photos import CHOICE
from blender_addon.report import Report


@pytest.fixture
def failed(enabled, backend, tmp_path):
    """The panel after a failure with a photo chosen."""
    photo = str(tmp_path / "my face.jpg")
    CHOICE.add([photo])
    STATE.end(Report("photo_unreadable", f"{photo} cannot be read.", "Choose another."))
    yield photo
    STATE.end()


def _copied(monkeypatch, welcome=None):
    """Return what the operator puts on the clipboard, which needs a window."""
    monkeypatch.setattr(report_tools, "shared", lambda: SimpleNamespace(welcome=welcome))
    manager = SimpleNamespace(clipboard="")
    probe = SimpleNamespace(report=lambda kind, text: None)
    context = SimpleNamespace(window_manager=manager)
    assert report_tools.ROME_OT_copy_report.execute(probe, context) == {"FINISHED"}
    return manager.clipboard


def test_the_copied_text_has_versions_and_no_photo(enabled, failed, monkeypatch):
    text = _copied(monkeypatch)
    assert "photo_unreadable" in text and "Choose another." in text
    assert f"Blender: {enabled.app.version_string}" in text and "Backend" not in text
    assert "my face" not in text and failed not in text


def test_a_running_backend_says_its_version(enabled, failed, monkeypatch):
    for weights, said in (("", "none"), ("0123456789abcdef", "0123456789abcdef")):
        welcome = Welcome(3, "0.1.0", "cpu", "3.11.7", weights)
        text = _copied(monkeypatch, welcome)
        assert "Backend: 0.1.0 (protocol 3)" in text and "Device: cpu" in text
        assert f"Networks: {said}" in text


def test_dismissing_takes_the_message_away(enabled, failed):
    assert enabled.ops.rome.dismiss_report() == {"FINISHED"}
    assert STATE.report is None
    for operator in (enabled.ops.rome.dismiss_report, enabled.ops.rome.copy_report):
        with pytest.raises(RuntimeError, match="Nothing went wrong"):
            operator()
