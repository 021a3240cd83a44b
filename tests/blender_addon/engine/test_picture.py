# SPDX-License-Identifier: GPL-3.0-or-later
"""The frame on the graphics card: its colours, its upright rows, its edges when drawn large.

Does not need a window: an engine of the tests' own has a graphics card to itself while it renders.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy", reason="the bpy wheel is not installed")

SAME = np.eye(3, dtype=np.float32)


@pytest.fixture(scope="module")
def drawn():
    """A function that draws frames, one after the other, into one picture of a size in px.

    Returns what is then in the picture (H, W, 4) f32, top row first.
    """
    import bpy

    todo, done = [], []

    class Card(bpy.types.RenderEngine):
        bl_idname, bl_label, bl_use_gpu_context = "TEST_CARD", "Card", True

        def render(self, depsgraph):
            done.append(_draw(*todo))

    def draw(frames, width, height, ground=(0.0, 0.0, 0.0, 0.0), to_scene=SAME):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(scene.camera)
        scene.render.engine = "TEST_CARD"
        scene.render.resolution_x = scene.render.resolution_y = 8
        todo[:], done[:] = (frames, width, height, ground, to_scene), []
        bpy.ops.render.render()
        assert done, "drawing failed; Blender has written why to stderr"
        return done[0]

    bpy.utils.register_class(Card)
    yield draw
    bpy.utils.unregister_class(Card)


def _draw(frames, width, height, ground, to_scene):
    import gpu

    from blender_addon.engine.picture import Picture

    target = gpu.types.GPUOffScreen(width, height, format="RGBA32F")
    with target.bind():
        buffer = gpu.state.active_framebuffer_get()
        buffer.clear(color=ground)
        picture = Picture()
        for number, frame in enumerate(frames):
            picture.draw(frame, number, to_scene)
        read = buffer.read_color(0, 0, width, height, 4, 0, "FLOAT")
    read.dimensions = width * height * 4
    return np.array(read, np.float32).reshape(height, width, 4)[::-1]


def frame(height, width, colour=(0.0, 0.0, 0.0, 0.0)):
    return np.full((height, width, 4), colour, np.float32)


def test_every_pixel_arrives_where_it_was_and_linear(drawn):
    from blender_addon.core_access import srgb_to_linear

    sent = frame(5, 16, (0.0, 0.0, 0.0, 1.0))
    sent[..., :3] = np.linspace(0, 1, 240, dtype=np.float32).reshape(5, 16, 3)
    found = drawn([sent], 16, 5)
    assert np.abs(found[..., :3] - srgb_to_linear(sent[..., :3])).max() < 2e-3
    assert (found[..., 3] == 1).all()


def test_what_came_through_the_pipe_is_taken(drawn):
    sent = frame(4, 4, (1.0, 0.0, 0.0, 1.0)).astype("<f4").view("<f4")
    assert drawn([sent], 4, 4)[0, 0].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_the_ground_shows_through_where_no_head_is(drawn):
    sent = frame(2, 4)
    sent[:, 1] = (1.0, 1.0, 1.0, 1.0)
    sent[:, 2] = (1.0, 1.0, 1.0, 0.5)
    found = drawn([sent], 4, 2, ground=(0.0, 0.5, 0.0, 1.0))
    assert np.allclose(found[0, 0], (0.0, 0.5, 0.0, 1.0), atol=1e-3)
    assert np.allclose(found[0, 1], (1.0, 1.0, 1.0, 1.0), atol=1e-3)
    assert np.allclose(found[0, 2], (0.5, 0.75, 0.5, 1.0), atol=1e-3)


def test_a_small_frame_fills_the_region_without_a_dark_edge(drawn):
    sent = frame(4, 4)
    sent[:, 2:] = (1.0, 0.5, 0.0, 1.0)
    found = drawn([sent], 16, 16)
    assert (found[:, -6:, 3] > 0.999).all() and (found[:, :6, 3] < 0.001).all()
    edge = found[8, 6:10]
    assert (np.diff(edge[:, 3]) > 0).all()
    assert np.allclose(edge[:, 0], edge[:, 3], atol=1e-3)  # premultiplied red is the coverage


def test_a_new_number_is_a_new_frame_and_an_old_one_is_not_sent_again(drawn, monkeypatch):
    from blender_addon.engine import picture

    sent = []
    upload = picture._texture
    monkeypatch.setattr(picture, "_texture", lambda frame: sent.append(1) or upload(frame))
    red, green = frame(2, 2, (1.0, 0.0, 0.0, 1.0)), frame(6, 4, (0.0, 1.0, 0.0, 1.0))
    assert drawn([red, green], 4, 4)[2, 2].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert len(sent) == 2


def test_the_working_space_is_respected(drawn):
    swapped = np.float32([[0, 1, 0], [1, 0, 0], [0, 0, 0.5]])
    found = drawn([frame(2, 2, (1.0, 0.0, 1.0, 1.0))], 2, 2, to_scene=swapped)
    assert np.allclose(found[0, 0], (0.0, 1.0, 0.5, 1.0), atol=1e-3)
