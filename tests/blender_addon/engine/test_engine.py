# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine beside Cycles: places, passes, borders, colour, animation, and how it fails.

Does not know how the backend draws.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

PASSES = {"Combined", "Mask", "Depth", "UV", "Normal"}


def perspective(scene):
    scene.camera.data.type, scene.camera.data.lens = "PERSP", 70.0
    scene.camera.location = (0.25, -0.9, 0.3)
    scene.camera.rotation_euler = (1.4, 0.1, 0.25)


def orthographic(scene):
    perspective(scene)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 0.6


def shifted(scene):
    perspective(scene)
    scene.camera.data.shift_x, scene.camera.data.shift_y = 0.13, -0.07


def scaled_camera(scene):
    orthographic(scene)
    scene.camera.data.shift_x = -0.1
    scene.camera.scale = (2.0, 3.0, 0.5)


def oblong_pixels(scene):
    perspective(scene)
    scene.render.pixel_aspect_x = 1.5
    scene.render.resolution_percentage = 77


def border(scene):
    perspective(scene)
    scene.render.use_border = True
    scene.render.border_min_x, scene.render.border_max_x = 0.31, 0.63
    scene.render.border_min_y, scene.render.border_max_y = 0.30, 0.87


def cropped(scene):
    border(scene)
    shifted(scene)
    scene.render.use_crop_to_border = True


CAMERAS = (
    perspective, orthographic, shifted, scaled_camera, oblong_pixels, border, cropped,
)  # fmt: skip


@pytest.mark.parametrize("set_up", CAMERAS, ids=lambda each: each.__name__)
def test_every_pass_lies_on_cycles_own(stage, built, drawing, render_passes, set_up):
    stage.render.resolution_x, stage.render.resolution_y = 150, 110
    built.armature.rotation_euler, built.armature.location = (0.1, 0.2, -0.4), (0.02, 0.0, 0.1)
    set_up(stage)
    ours, theirs = render_passes(), render_passes("CYCLES")
    assert {key.split(".")[0] for key in ours} == PASSES
    same_place(ours, theirs)
    shown = (ours["Mask.X"] == 1) & (theirs["Combined.A"] == 1)
    assert shown.sum() > 500
    for name, median in {"Depth.Z": 1e-5, "UV.U": 2e-3, "UV.V": 2e-3, "UV.A": 1e-6}.items():
        assert np.median(np.abs(ours[name] - theirs[name])[shown]) < median, name
    dots = sum(ours[f"Normal.{axis}"] * theirs[f"Normal.{axis}"] for axis in "XYZ")[shown]
    assert np.median(dots) > 0.95  # weighted by area here, by angle in Blender; a rugged mesh
    nothing = (ours["Mask.X"] == 0) & (theirs["Combined.A"] == 0)
    for name in ("Depth.Z", "UV.U", "UV.A", "Normal.X"):
        assert np.array_equal(ours[name][nothing], theirs[name][nothing]), name


def same_place(ours, theirs):
    """The silhouettes have the same area and lie within a tenth of a pixel of each other."""
    mask, alpha = ours["Mask.X"], theirs["Combined.A"]
    assert mask.shape == alpha.shape and mask.sum() > 500
    assert np.array_equal(mask, ours["Combined.A"])
    assert np.abs(mask - alpha).mean() < 0.004
    for axis in (0, 1):
        places = [np.average(np.indices(each.shape)[axis], weights=each) for each in (mask, alpha)]
        assert abs(places[0] - places[1]) < 0.1
        spread = [
            np.sqrt(np.average((np.indices(each.shape)[axis] - place) ** 2, weights=each))
            for each, place in zip((mask, alpha), places, strict=True)
        ]
        assert abs(spread[0] - spread[1]) < 0.1


def colour(drawn, row, column):
    """The linear colour of a pixel, rounded to what a file of 16 bits can hold."""
    return [round(float(drawn[f"Combined.{c}"][row, column]), 4) + 0.0 for c in "RGB"]


def test_modifiers_and_sculpting_are_drawn(stage, built, drawing, render_passes):
    orthographic(stage)
    plain = render_passes()["Mask.X"].sum()
    built.mesh.modifiers.new("Smooth", "SUBSURF").render_levels = 1
    bend = built.mesh.modifiers.new("Fat", "DISPLACE")
    bend.strength, bend.mid_level = 0.03, 0.0
    ours, theirs = render_passes(), render_passes("CYCLES")
    same_place(ours, theirs)
    assert ours["Mask.X"].sum() > 1.2 * plain


def test_instances_are_drawn_and_hidden_heads_are_not(engine, stage, card, drawing, render_passes):
    thing = card((0, 255, 0), size=0.2)
    group = engine.data.collections.new("Group")
    stage.collection.objects.unlink(thing)
    group.objects.link(thing)
    for x in (-0.25, 0.25):
        instance = engine.data.objects.new("Instance", None)
        instance.instance_type, instance.instance_collection = "COLLECTION", group
        instance.location.x = x
        stage.collection.objects.link(instance)
    hidden = card(size=0.9, y=-0.5)
    hidden.hide_render = True
    drawn = render_passes()
    assert drawn["Mask.X"][32, [16, 32, 48]].tolist() == [1, 0, 1]
    assert colour(drawn, 32, 16) == [0, 1, 0]


def test_the_nearer_of_two_heads_hides_the_other(card, drawing, render_passes):
    card((255, 0, 0), size=0.8, y=0.3, name="Far")
    card((0, 0, 255), size=0.4, y=-0.2, name="Near")
    drawn = render_passes()
    assert colour(drawn, 32, 32) == [0, 0, 1] and colour(drawn, 12, 12) == [1, 0, 0]
    depths = [drawn["Depth.Z"][32, 32], drawn["Depth.Z"][12, 12]]
    assert depths == pytest.approx([1.8, 2.3])


def test_all_256_levels_are_exact_in_the_saved_file(card, stage, drawing, render_png):
    ramp = np.arange(256, dtype=np.uint8)
    colours = np.stack([ramp, ramp[::-1], ramp // 2 + 64], axis=1)
    card(pixels=np.repeat(colours[None], 8, axis=0))
    stage.render.resolution_x, stage.render.resolution_y = 256, 256
    row = render_png()[128].astype(int)
    assert np.abs(row[:, :3] - colours).max() <= 1
    assert (row[:, 3] == 255).all()


def test_paint_is_drawn_without_saving(card, drawing, render_png):
    thing = card((255, 0, 0))
    assert render_png()[32, 32].tolist() == [255, 0, 0, 255]
    image = thing["romelink_albedo"]
    image.pixels.foreach_set(np.float32([0.0, 0.0, 1.0, 1.0] * 64))
    assert render_png()[32, 32].tolist() == [0, 0, 255, 255]
    image.pixels.foreach_set(np.float32([0.0, 1.0, 0.0, 1.0] * 64))
    assert render_png()[32, 32].tolist() == [0, 255, 0, 255]


def animate(built):
    key = built.mesh.data.shape_keys.key_blocks["jawOpen"]
    bone = built.armature.pose.bones["neck"]
    for frame in (1, 5):
        key.value = bone.rotation_quaternion.x = (frame - 1) / 4
        key.keyframe_insert("value", frame=frame)
        bone.keyframe_insert("rotation_quaternion", frame=frame)


def test_five_frames_of_an_animation_differ_and_are_the_right_ones(
    engine, stage, built, drawing, tmp_path, render_png
):
    orthographic(stage)
    animate(built)
    stage.frame_start, stage.frame_end = 1, 5
    render_png()
    stage.render.filepath = str(tmp_path / "frame_")
    assert engine.ops.render.render(animation=True) == {"FINISHED"}
    files = sorted(tmp_path.glob("frame_*.png"))
    assert [file.name for file in files] == [f"frame_000{n}.png" for n in range(1, 6)]
    assert len({file.read_bytes() for file in files}) == 5
    surfaces = [each for each in drawing.sent if type(each).__name__ == "SetSurface"]
    assert len(surfaces) == 1  # the texture travels once, not per frame
    stage.frame_set(4)
    from PIL import Image

    assert np.array_equal(render_png(), np.array(Image.open(files[3])))


def test_a_scene_without_heads_is_empty(stage, drawing, render_png):
    assert not render_png().any()


def test_passes_that_the_view_layer_does_not_want_are_left_out(
    engine, card, drawing, render_passes
):
    card()
    layer = engine.context.view_layer
    layer.use_pass_z = layer.use_pass_uv = layer.use_pass_normal = False
    assert {key.split(".")[0] for key in render_passes()} == {"Combined", "Mask"}
    assert drawing.sent[-1].passes == ("combined", "mask")


def test_two_view_layers_each_get_their_heads(engine, stage, card, drawing, render_png):
    thing = card()
    other = stage.view_layers.new("Second")
    other.layer_collection.exclude = False
    own = engine.data.collections.new("Own")
    stage.collection.children.link(own)
    stage.collection.objects.unlink(thing)
    own.objects.link(thing)
    other.layer_collection.children["Own"].exclude = True
    render_png()
    frames = [each for each in drawing.sent if type(each).__name__ == "RenderFrame"]
    assert [len(frame.vertices) for frame in frames] == [1, 0]


FAILURES = {
    "surface_invalid": lambda bpy, thing: thing.data.uv_layers.remove(thing.data.uv_layers[0]),
    "no albedo": lambda bpy, thing: bpy.data.images.remove(thing["romelink_albedo"]),
    "panorama": lambda bpy, thing: setattr(bpy.context.scene.camera.data, "type", "PANO"),
    "stereo": lambda bpy, thing: setattr(bpy.context.scene.render, "use_multiview", True),
    "no camera": lambda bpy, thing: bpy.data.objects.remove(bpy.context.scene.camera),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_cannot_be_drawn_stops_the_animation(engine, card, drawing, tmp_path, failure):
    FAILURES[failure](engine, card())
    engine.context.scene.render.filepath = str(tmp_path / "frame_")
    with pytest.raises(RuntimeError, match="(ROME: .*[.]|[Nn]o camera)"):
        engine.ops.render.render(animation=True)
    assert not list(tmp_path.iterdir())


def test_an_unexpected_error_stops_the_animation_too(engine, card, monkeypatch, drawing, tmp_path):
    card()
    monkeypatch.setattr(drawing, "request", lambda message: 1 / 0)
    engine.context.scene.render.filepath = str(tmp_path / "frame_")
    with pytest.raises(RuntimeError, match="ROME: something went wrong"):
        engine.ops.render.render(animation=True)
    assert not list(tmp_path.iterdir())


CHILD = """
import bpy, sys
from concurrent.futures import Future
from types import SimpleNamespace
sys.path[:0] = {path!r}
from blender_addon.core_access import RomeError
from blender_addon.engine import engine, frames, renderer

class Broken:
    def request(self, message):
        future = Future()
        future.set_exception(RomeError("backend_died", "It ended.", "Try again."))
        return SimpleNamespace(future=future)

frames.shared = Broken
bpy.ops.wm.read_factory_settings(use_empty=True)
import atexit
for each in (*renderer.CLASSES, *engine.CLASSES):
    bpy.utils.register_class(each)
    atexit.register(bpy.utils.unregister_class, each)
renderer.register()
scene = bpy.context.scene
scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine, scene.render.filepath, scene.frame_end = "ROME", {out!r}, 3
bpy.ops.render.render(animation=True)
"""


def test_a_backend_that_dies_ends_a_farm_job_with_exit_code_1(engine, root, addon_dir, tmp_path):
    if addon_dir != root / "blender_addon":
        pytest.skip("a built add-on has another name in the child")
    code = CHILD.format(path=[str(root)], out=str(tmp_path / "out" / "frame_"))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60,
        env=os.environ | {"PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "ROME: It ended. Try again." in done.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_escape_gives_the_frame_up_at_once(engine, card, drawing, monkeypatch, tmp_path):
    from concurrent.futures import Future
    from types import SimpleNamespace

    from blender_addon.engine import engine as module

    card()
    monkeypatch.setattr(drawing, "request", lambda message: SimpleNamespace(future=Future()))
    monkeypatch.setattr(drawing, "cancel", drawing.cancelled.append)
    pressed = iter([False, False, True])
    monkeypatch.setattr(module, "is_stopped", lambda engine: next(pressed))
    engine.ops.render.render()
    assert len(drawing.cancelled) == 1
