# SPDX-License-Identifier: GPL-3.0-or-later
"""Another Blender exports the same files from what it is handed, in short steps of this one."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

pytest.importorskip("bpy")

from blender_addon.core_access import Cancelled, RomeError
from blender_addon.exporters import hand_over, other_blender
from blender_addon.exporters.formats import ABC, FBX, FORMATS, GLB, OBJ, USD
from blender_addon.exporters.hand_over import hand_over_steps, is_own, take_over
from blender_addon.exporters.head_export import Choice, export_head


@pytest.fixture
def handed(tmp_path):
    """Hands a head over; returns the folder for the other Blender and the number of steps."""

    def hand(bpy, head, kind=GLB, choice=None, name="Ada"):
        folder, out = tmp_path / "job", tmp_path / "out"
        for each in (folder, out):
            each.mkdir(exist_ok=True)
        target = out / (name + kind.suffixes[0])
        steps = hand_over_steps(bpy.context, head, folder, target, kind, choice or Choice())
        return folder, sum(1 for _ in steps)

    return hand


def test_every_format_can_be_asked_for():
    assert set(FORMATS) == {GLB, FBX, USD, OBJ, ABC}
    assert len({kind.name for kind in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_the_surface_is_the_same_as_if_it_were_exported_here(
    blender, measure, moving, handed, tmp_path, kind
):
    distance, keys_of = measure
    bpy, direct = blender.bpy, tmp_path / "direct"
    direct.mkdir()
    choice = Choice(animated=False)
    here = export_head(bpy.context, moving.mesh, direct / f"Ada{kind.suffixes[0]}", kind, choice)
    folder, _ = handed(bpy, moving.mesh, kind, choice)
    there = take_over(folder)
    assert [file.name for file in there] == [file.name for file in here]
    wanted = blender.read(here[-1])
    surface, keys = blender.world(wanted), keys_of(wanted) if kind.keys else {}
    found = blender.read(there[-1])
    assert distance(blender.world(found), surface) < 1e-6
    assert (keys_of(found) if kind.keys else {}) == keys


def test_animation_and_the_scenes_frames_go_along(blender, measure, moving, handed, tmp_path):
    distance, _ = measure
    bpy = blender.bpy
    bpy.context.scene.render.fps = 30
    wanted = {frame: blender.at(frame, moving.mesh) for frame in (1, 3, 5)}
    bpy.context.scene.frame_set(3)
    folder, _ = handed(bpy, moving.mesh, ABC)
    mesh = blender.read(take_over(folder)[-1])
    bpy.context.scene.render.fps = 30
    for frame, surface in wanted.items():
        assert distance(blender.at(frame, mesh), surface) < 1e-5


def test_nothing_of_the_scene_changes(blender, ada, handed):
    bpy = blender.bpy
    assert is_own(ada.mesh)
    before = [(data.name, data.users) for data in (*bpy.data.objects, *bpy.data.meshes)]
    values = [block.value for block in ada.mesh.data.shape_keys.key_blocks]
    _, steps = handed(bpy, ada.mesh)
    assert steps == 1
    assert [(data.name, data.users) for data in (*bpy.data.objects, *bpy.data.meshes)] == before
    assert [block.value for block in ada.mesh.data.shape_keys.key_blocks] == values


def test_what_was_painted_goes_along_in_a_step_of_its_own(blender, ada, handed):
    bpy = blender.bpy
    image = ada.mesh["romelink_albedo"]
    values = np.tile(np.float32([0.2, 0.4, 0.6, 1.0]), image.size[0] * image.size[1])
    image.pixels.foreach_set(values)
    assert image.is_dirty
    folder, steps = handed(bpy, ada.mesh, OBJ)
    assert steps == 2 and image.is_dirty
    files = take_over(folder)
    picture = next(file for file in files if file.suffix == ".png")
    loaded = bpy.data.images.load(str(picture))
    assert np.allclose(loaded.pixels[:3], [51 / 255, 102 / 255, 153 / 255], atol=1e-3)


def test_the_presets_go_along(blender, ada, handed):
    folder, _ = handed(blender.bpy, ada.mesh, choice=Choice("ARKIT", "VRM", False))
    facts = json.loads((folder / "job.json").read_text())
    assert facts["choice"] == {"content": "ARKIT", "bones": "VRM", "animated": False}
    take_over(folder)
    sidecar = json.loads((folder.parent / "out" / "Ada.glb.rome.json").read_text())
    assert sidecar["export"]["bones"] == "VRM" and "handed" not in json.dumps(sidecar)


@pytest.fixture(params=["linked", "overridden"])
def borrowed(request, blender, moving, tmp_path):
    """Ada, who moves, out of another file; and her surface there in frames 1 and 5."""
    bpy = blender.bpy
    surfaces = {frame: blender.at(frame, moving.mesh) for frame in (1, 5)}
    path, name, rig = str(tmp_path / "ada.blend"), moving.mesh.name, moving.armature.name
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = [name, rig]
    for part in wanted.objects:
        bpy.context.scene.collection.objects.link(part)
    head = wanted.objects[0]
    if request.param == "overridden":
        head = head.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    bpy.context.scene.frame_end = 5
    bpy.context.view_layer.update()
    return head, surfaces


def contents(bpy):
    kinds = ("objects", "meshes", "materials", "images", "armatures", "scenes", "actions")
    return sorted((kind, each.name_full) for kind in kinds for each in getattr(bpy.data, kind))


def test_a_head_of_another_file_goes_along_with_all_it_shows(blender, measure, borrowed, handed):
    distance, _ = measure
    bpy, (head, surfaces) = blender.bpy, borrowed
    assert not is_own(head)
    before = contents(bpy)
    folder, steps = handed(bpy, head, ABC)
    assert steps == 1 and contents(bpy) == before
    mesh = blender.read(take_over(folder)[-1])
    assert not bpy.data.libraries
    for frame, surface in surfaces.items():
        assert distance(blender.at(frame, mesh), surface) < 1e-5


def test_its_textures_and_facts_arrive_and_the_avatar_stays(blender, borrowed, handed):
    bpy, (head, _) = blender.bpy, borrowed
    facts = head["rome_topology_id"], head.name
    folder, _ = handed(bpy, head, OBJ)
    files = take_over(folder)
    assert any(file.suffix == ".png" for file in files)
    sidecar = json.loads((folder.parent / "out" / "Ada.obj.rome.json").read_text())
    assert (sidecar["topology_id"], sidecar["head"]) == facts


def test_a_folder_that_cannot_be_written_is_said(blender, ada, tmp_path):
    steps = hand_over_steps(
        blender.bpy.context, ada.mesh, tmp_path / "gone", tmp_path / "a.glb", GLB, Choice()
    )
    with pytest.raises(RomeError) as failed:
        list(steps)
    assert failed.value.code == "cannot_write"


def run(folder, cancel=None):
    told = []
    files = other_blender.export_elsewhere(
        other_blender.command(folder),
        folder,
        lambda stage, fraction: told.append((stage, fraction)),
        cancel or threading.Event(),
    )
    return files, told


def test_another_process_exports_it(blender, measure, ada, handed):
    distance, _ = measure
    wanted = blender.world(ada.mesh)
    folder, _ = handed(blender.bpy, ada.mesh)
    files, told = run(folder)
    assert files[-1].name == "Ada.glb" and all(file.is_file() for file in files)
    assert [stage for stage, _ in told] == ["starting", "exporting"]
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert distance(blender.world(blender.read(files[-1])), wanted) < 1e-5


def test_what_the_other_blender_cannot_do_is_said_here(blender, ada, handed):
    folder, _ = handed(blender.bpy, ada.mesh)
    facts = json.loads((folder / hand_over.JOB).read_text())
    facts["objects"] = ["Nobody"]
    (folder / hand_over.JOB).write_text(json.dumps(facts))
    with pytest.raises(RomeError, match="did not arrive") as failed:
        run(folder)
    assert failed.value.code == "export_failed"


def test_one_that_ends_without_a_word_is_said(tmp_path):
    with pytest.raises(RomeError, match="ended with code") as failed:
        run(tmp_path)
    assert failed.value.code == "export_failed"


def test_it_ends_when_asked_to(blender, ada, handed):
    folder, _ = handed(blender.bpy, ada.mesh)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        run(folder, cancel)
    assert not (folder / hand_over.RESULT).exists()


def test_a_real_blender_is_started_with_its_factory_settings(monkeypatch, tmp_path):
    """A person's start-up file and add-ons are none of the exporter's business."""
    from types import SimpleNamespace

    app = SimpleNamespace(binary_path="/opt/blender", autoexec_fail=False)
    monkeypatch.setattr(other_blender, "bpy", SimpleNamespace(app=app))
    found = other_blender.command(tmp_path)
    assert found[:4] == ["/opt/blender", "--background", "--factory-startup", "--enable-autoexec"]
    assert found[-4:] == ["--python", str(other_blender.PROGRAM), "--", str(tmp_path)]
    app.autoexec_fail = True
    assert "--disable-autoexec" in other_blender.command(tmp_path)
