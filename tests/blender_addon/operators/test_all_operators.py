# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every button: one undo step where it changes the file, a reason where it is off.

Does not know what the buttons do.
"""

from __future__ import annotations

import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

# They change settings of this computer, files beside the .blend, or what the panel shows.
NO_UNDO = {
    "add_photos", "remove_photo", "cancel", "save_avatar", "choose_avatar", "copy_report",
    "dismiss_report",
}  # fmt: skip
NO_UNDO_PREFIXES = ("backend_", "export_")


def _operators(bpy):
    names = [name for name in dir(bpy.ops.rome) if not name.startswith("_")]
    return {name: getattr(bpy.ops.rome, name) for name in names}


def test_what_changes_the_file_is_one_undo_step(enabled):
    found = _operators(enabled)
    assert len(found) > 25 and NO_UNDO <= set(found)
    for name, operator in found.items():
        changes = name not in NO_UNDO and not name.startswith(NO_UNDO_PREFIXES)
        assert ("UNDO" in operator.bl_options) is changes, name


def test_a_button_that_is_off_says_why(enabled):
    """Without a sentence of ours Blender says that the context is incorrect."""
    off = {name: each for name, each in _operators(enabled).items() if not each.poll()}
    assert {"create_head", "refit_bones", "key_all", "export_glb", "update_head"} <= set(off)
    for name, operator in off.items():
        with pytest.raises(RuntimeError) as caught:
            operator()
        said = str(caught.value)
        assert "poll() failed" not in said or "context is incorrect" not in said, name


def test_what_a_person_sets_for_all_files_is_explained(enabled):
    from blender_addon.preferences import ROME_AddonPreferences

    for name in ("python_path", "torch_index", "device", "log_level"):
        prop = ROME_AddonPreferences.bl_rna.properties[name]
        assert prop.name and prop.description and not prop.description.endswith("."), name
        for item in getattr(prop, "enum_items", ()):
            assert item.name and item.description and not item.description.endswith("."), item.name
