# SPDX-License-Identifier: GPL-3.0-or-later
"""The export operators as a person and a script meet them."""

from __future__ import annotations

import pytest

KINDS = {"glb": ".glb", "fbx": ".fbx", "usd": ".usdc", "obj": ".obj", "alembic": ".abc"}


@pytest.fixture
def head(enabled, rig):
    from blender_addon.rig.build import build_head

    return build_head(rig)


def _operator(bpy, kind):
    return getattr(bpy.ops.rome, f"export_{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_head_the_button_is_off(enabled, kind):
    assert not _operator(enabled, kind).poll()
    with pytest.raises(RuntimeError, match="Select a head first"):
        _operator(enabled, kind)(filepath="x")


@pytest.mark.parametrize("kind", KINDS)
def test_the_suffix_is_added(enabled, head, tmp_path, kind):
    assert _operator(enabled, kind)(filepath=str(tmp_path / "my.head")) == {"FINISHED"}
    assert (tmp_path / f"my.head{KINDS[kind]}").is_file()


@pytest.mark.parametrize("fails", [False, True])
def test_a_window_shows_that_it_waits(enabled, monkeypatch, fails):
    """Blender's exporters take seconds: the cursor says so and comes back, whatever happens."""
    from types import SimpleNamespace

    from blender_addon.operators import export

    said = []
    window = SimpleNamespace(
        cursor_modal_set=said.append, cursor_modal_restore=lambda: said.append("restored")
    )
    context = SimpleNamespace(window=window, workspace=SimpleNamespace(status_text_set=said.append))
    monkeypatch.setattr(export, "bpy", SimpleNamespace(app=SimpleNamespace(background=False)))
    try:
        with export._waiting(context, "Exporting Ada..."):
            assert said == ["WAIT", "Exporting Ada..."]
            if fails:
                raise OSError
    except OSError:
        assert fails
    assert said[2:] == ["restored", None]


def test_an_export_is_no_undo_step():
    pytest.importorskip("bpy")
    from blender_addon.operators.export import CLASSES

    assert len(CLASSES) == len(KINDS)
    assert all("UNDO" not in cls.bl_options for cls in CLASSES)


def test_paths_relative_to_the_blend(enabled, head, tmp_path):
    enabled.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert enabled.ops.rome.export_glb(filepath="//out.glb") == {"FINISHED"}
    assert (tmp_path / "out.glb").is_file()


def test_any_part_of_the_head_will_do(enabled, head, tmp_path):
    enabled.context.view_layer.objects.active = head.camera
    assert enabled.ops.rome.export_obj(filepath=str(tmp_path / "a.obj")) == {"FINISHED"}
    assert not (tmp_path / "a.obj").read_text().count("\no ") > 1


@pytest.mark.parametrize("path", ("", "//"))
def test_no_file_is_a_sentence(enabled, head, path):
    with pytest.raises(RuntimeError, match="Choose a file to write"):
        enabled.ops.rome.export_glb(filepath=path)


def test_a_folder_that_is_not_there_is_a_sentence(enabled, head, tmp_path):
    with pytest.raises(RuntimeError, match="could not be written") as caught:
        enabled.ops.rome.export_glb(filepath=str(tmp_path / "none" / "a.glb"))
    assert "Choose another folder" in str(caught.value)


def test_a_head_without_offsets_says_what_to_do(enabled, head, tmp_path):
    attributes = head.mesh.data.attributes
    attributes.remove(attributes["rome_offsets"])
    with pytest.raises(RuntimeError, match="Create the head again"):
        enabled.ops.rome.export_obj(filepath=str(tmp_path / "a.obj"), content="BARE")
    assert list(tmp_path.iterdir()) == []


def test_the_name_is_corrected_while_it_is_chosen():
    pytest.importorskip("bpy")
    from types import SimpleNamespace

    from blender_addon.operators.export import HeadExport, ROME_OT_export_usd

    chosen = SimpleNamespace(filepath="a/Ada.usdz", kind=ROME_OT_export_usd.kind)
    assert HeadExport.check(chosen, None) is False
    chosen.filepath = "a/Ada.obj"
    assert HeadExport.check(chosen, None) is True
    assert chosen.filepath.replace("\\", "/") == "a/Ada.obj.usdc"
