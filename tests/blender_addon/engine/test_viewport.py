# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine in a viewport, without its window: what is read, when, and what is said.

Regions and spaces are stand-ins: Blender as a module has none that is drawn.
"""

from __future__ import annotations

import time
from concurrent.futures import wait
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")


@pytest.fixture
def context(engine, stage, monkeypatch):
    """A context of a 64 x 64 px region that looks through the scene's camera."""
    from blender_addon.engine import viewport

    monkeypatch.setattr(viewport, "shown_in", lambda space: lambda instance: True)
    engine.context.view_layer.update()
    return SimpleNamespace(
        region=SimpleNamespace(width=64, height=64),
        region_data=through_camera(engine, stage),
        space_data=SimpleNamespace(local_view=None),
    )


def through_camera(bpy, scene):
    graph = bpy.context.evaluated_depsgraph_get()
    projection = scene.camera.calc_matrix_camera(graph, x=64, y=64)
    return SimpleNamespace(
        window_matrix=projection, view_matrix=scene.camera.matrix_world.inverted()
    )


def graph(bpy):
    return bpy.context.evaluated_depsgraph_get()


def shown(viewport, context, bpy):
    """Ask for a frame, take it when it is there, and return it."""
    from blender_addon.engine.viewport import update

    update(viewport, context, graph(bpy))
    asked = viewport.preview._asked
    if asked is not None:
        wait([asked.request.future], timeout=60)
        update(viewport, context, graph(bpy))
    return viewport.preview.frame


@pytest.mark.parametrize("lens", ["ORTHO", "PERSP"])
def test_a_head_stands_where_the_view_has_it(engine, drawing, context, viewport, stage, card, lens):
    stage.camera.data.type = lens
    card((255, 0, 0), size=0.5)
    context.region_data = through_camera(engine, stage)
    frame = shown(viewport, context, engine)
    combined = frame.combined
    assert viewport.preview.problem == "" and combined.shape == (32, 32, 4)
    # 0.5 m of the 1 m in view; of the 36 mm sensor behind 50 mm, 2 m away
    half = 8.0 if lens == "ORTHO" else 16 * 0.25 / 2.0 * 50 / 18
    covered = np.nonzero(combined[16, :, 3])[0]
    assert abs(covered.min() - (16 - half)) <= 1 and abs(covered.max() - (15 + half)) <= 1
    assert combined[16, 16].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_the_frame_is_that_of_f12(engine, drawing, context, viewport, card, render_png):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8, :, 0], pixels[:, 8:, 1] = 200, 90
    card(pixels=pixels)
    shown(viewport, context, engine)
    viewport.preview._changed_at -= 10.0  # all has been still for long
    frame = shown(viewport, context, engine)
    assert drawing.sent[-1].viewport is False
    assert np.abs(frame.combined * 255 - render_png()).max() < 1.01


def test_several_heads_and_the_nearer_one_wins(engine, drawing, context, viewport, card):
    card((255, 0, 0), y=0.2)
    card((0, 0, 255), y=-0.2, size=0.5, name="Near")
    combined = shown(viewport, context, engine).combined
    assert combined[16, 16].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert combined[2, 2].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_the_scene_is_read_again_only_when_it_changed(engine, drawing, context, viewport, card):
    thing = card()
    shown(viewport, context, engine)
    sent = len(drawing.sent)
    thing.location.x = 0.3
    engine.context.view_layer.update()
    viewport._read_again_at = 0.0
    shown(viewport, context, engine)
    assert len(drawing.sent) == sent  # nobody said that it changed
    viewport.changed = True
    combined = shown(viewport, context, engine).combined
    assert len(drawing.sent) == sent + 1
    assert combined[16, 5, 3] == 0 and combined[16, 20, 3] == 1


def test_leaving_local_view_reads_the_scene_again(engine, drawing, context, viewport, card):
    card()
    shown(viewport, context, engine)
    viewport._read_again_at, viewport.heads = 0.0, ()
    context.space_data.local_view = object()
    shown(viewport, context, engine)
    assert len(viewport.heads) == 1


def test_a_scene_that_is_slow_to_read_is_read_less_often(
    engine, drawing, context, viewport, card, monkeypatch
):
    from blender_addon.engine import viewport as module

    reads = []

    def slow(*arguments):
        reads.append(time.sleep(0.05))
        return []

    monkeypatch.setattr(module, "read_heads", slow)
    for now in (0.0, 0.01, 0.1, 0.15, 0.3):
        viewport.changed = True
        viewport.read(context, graph(engine), now)
    assert len(reads) == 2
    assert viewport.is_busy() is False and viewport.changed is False


def test_a_large_painted_texture_comes_bit_by_bit(
    engine, drawing, context, viewport, card, monkeypatch
):
    from blender_addon.engine import viewport as module

    reads, read = [], module.read_heads
    monkeypatch.setattr(module, "read_heads", lambda *args: reads.append(1) or read(*args))
    image = card(pixels=np.zeros((4, 1100, 3), np.uint8))["romelink_albedo"]
    assert shown(viewport, context, engine).combined[16, 16].tolist() == [0.0, 0.0, 0.0, 1.0]
    image.pixels.foreach_set(np.tile(np.float32([1, 0, 0, 1]), 4400))
    viewport.changed, viewport._read_again_at = True, 0.0
    sizes = []
    while not sizes or viewport.changed or viewport.heads[0].texture.better is not None:
        frame = shown(viewport, context, engine)
        texture = viewport.heads[0].texture
        sizes.append(None if texture.pixels is None else texture.pixels.shape[1])
        colour = 1.0 if sizes[-1] else 0.0
        assert frame.combined[16, 16].tolist() == [colour, 0.0, 0.0, 1.0]
        assert viewport.is_busy()
        if texture.better is not None:
            texture.better.result(30)
            assert viewport.is_due(time.monotonic() + 60)
    assert sizes[0] is None and sizes[-1] == 1100 and len(reads) == 3


def test_a_head_without_texture_is_said_in_words(engine, drawing, context, viewport, card):
    thing = card()
    del thing["romelink_albedo"]
    shown(viewport, context, engine)
    assert thing.name in viewport.line() and "texture" in viewport.line()
    assert drawing.sent == [] and not viewport.is_busy() and not viewport.is_due(1e9)


def test_a_head_that_can_be_read_again_is_shown_again(engine, drawing, context, viewport, card):
    thing = card()
    image = thing["romelink_albedo"]
    del thing["romelink_albedo"]
    shown(viewport, context, engine)
    thing["romelink_albedo"] = image
    shown(viewport, context, engine)
    assert drawing.sent == []  # nobody said that it changed
    viewport.changed, viewport._read_again_at = True, 0.0
    assert shown(viewport, context, engine) is not None and viewport.line() == ""


def test_a_backend_that_is_not_there_is_said_in_words(
    engine, context, viewport, card, monkeypatch, capsys
):
    from blender_addon.core_access import RomeError
    from blender_addon.engine import preview

    class Missing:
        def request(self, message):
            from concurrent.futures import Future

            future = Future()
            future.set_exception(RomeError("backend_missing", "Not set up.", "Press Set Up."))
            return SimpleNamespace(future=future)

    monkeypatch.setattr(preview, "shared", Missing)
    card()
    for _ in range(5):
        shown(viewport, context, engine)
    assert viewport.line() == "Not set up. Press Set Up."
    assert "Traceback" not in capsys.readouterr().err


def test_what_should_not_happen_is_said_and_does_not_stay(
    engine, drawing, context, viewport, card, monkeypatch
):
    from blender_addon.engine import viewport as module

    card()
    with monkeypatch.context() as broken:
        broken.setattr(module, "read_heads", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            shown(viewport, context, engine)
        assert "console" in viewport.line()
        shown(viewport, context, engine)  # no second time until something changes
    viewport.changed, viewport._read_again_at = True, 0.0
    assert shown(viewport, context, engine) is not None and viewport.line() == ""


def test_looking_draws_viewports_again_and_ends_by_itself(engine, viewport, monkeypatch):
    from blender_addon.engine import viewport as module

    redrawn = []
    monkeypatch.setattr(module, "redraw", lambda manager: redrawn.append(1))
    assert module.look() == module.LOOK_EVERY and redrawn == [1]  # a new one has all to read
    viewport.changed = False
    assert module.look() is None and redrawn == [1]
    viewport.changed = True
    del viewport
    module.unregister()
    assert module.look() is None and redrawn == [1]


def test_only_viewports_that_show_our_pixels_are_drawn_again():
    from blender_addon.engine.viewport import redraw

    tagged = []

    def area(kind, shading):
        regions = [
            SimpleNamespace(type=each, tag_redraw=lambda each=each: tagged.append((shading, each)))
            for each in ("HEADER", "WINDOW")
        ]
        space = SimpleNamespace(shading=SimpleNamespace(type=shading))
        return SimpleNamespace(type=kind, spaces=SimpleNamespace(active=space), regions=regions)

    def window(engine, *areas):
        render = SimpleNamespace(engine=engine)
        scene, screen = SimpleNamespace(render=render), SimpleNamespace(areas=areas)
        return SimpleNamespace(scene=scene, screen=screen)

    areas = area("VIEW_3D", "RENDERED"), area("VIEW_3D", "SOLID"), area("IMAGE_EDITOR", "RENDERED")
    redraw(SimpleNamespace(windows=[window("ROME", *areas), window("CYCLES", *areas)]))
    assert tagged == [("RENDERED", "WINDOW")]


def test_the_timer_is_not_started_where_there_is_no_window(engine):
    from blender_addon.engine import viewport

    viewport.keep_looking()
    assert not engine.app.timers.is_registered(viewport.look)


def test_an_instance_is_shown_where_its_owner_is():
    from blender_addon.engine.viewport import shown_in

    def thing(visible):
        return SimpleNamespace(original=SimpleNamespace(visible_in_viewport_get=lambda s: visible))

    def instance(own, parent=None):
        is_instance = parent is not None
        return SimpleNamespace(object=own, parent=parent, is_instance=is_instance)

    is_shown = shown_in(object())
    assert is_shown(instance(thing(True))) and not is_shown(instance(thing(False)))
    assert is_shown(instance(thing(False), thing(True)))
    assert not is_shown(instance(thing(True), thing(False)))
