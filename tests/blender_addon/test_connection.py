# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend is found by what the preferences say, and ended with the add-on."""

from __future__ import annotations

from types import SimpleNamespace

from blender_addon import connection


def test_the_chosen_python_is_used(enabled, monkeypatch):
    chosen = SimpleNamespace(python_path="//python", device="cpu", log_level="debug")
    monkeypatch.setattr(connection, "preferences_of", lambda context: chosen)
    choice = connection.chosen_backend()
    assert choice.python == enabled.path.abspath("//python")
    assert choice.interactive is False
    assert (choice.device, choice.log_level) == ("cpu", "debug")


def test_without_preferences_nothing_is_chosen(enabled, monkeypatch):
    def missing(context):
        raise LookupError

    monkeypatch.setattr(connection, "preferences_of", missing)
    assert connection.chosen_backend().python == ""


def test_registering_says_where_to_look_and_unregistering_ends_the_backend(monkeypatch):
    said, ended = [], []
    monkeypatch.setattr(connection, "choose", said.append)
    monkeypatch.setattr(connection, "close_shared", lambda: ended.append(True))
    connection.register()
    assert said == [connection.chosen_backend]
    connection.unregister()
    assert ended == [True] and said[-1] is connection.Choice


def test_the_preferences_offer_what_the_backend_takes(enabled):
    from blender_addon.backend.locate import DEVICES, LOG_LEVELS, Choice
    from blender_addon.preferences import ROME_AddonPreferences

    properties = ROME_AddonPreferences.bl_rna.properties
    for name, offered in (("device", DEVICES), ("log_level", LOG_LEVELS)):
        assert tuple(item.identifier for item in properties[name].enum_items) == offered
        assert properties[name].default == getattr(Choice(), name)
