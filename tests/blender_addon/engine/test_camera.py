# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and borders in whole pixels, as Blender rounds them, and cameras that are refused.

Does not test where points land (test_engine.py does, beside Cycles).
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest


def seen(bpy, scene):
    from blender_addon.engine.camera import frame_view

    return frame_view(scene.camera, scene, bpy.context.evaluated_depsgraph_get())


@pytest.mark.parametrize(
    ("side", "percentage", "wanted"), [(1920, 100, 1920), (333, 50, 166), (7, 10, 1), (101, 99, 99)]
)
def test_the_percentage_is_rounded_down(engine, stage, side, percentage, wanted):
    stage.render.resolution_x = stage.render.resolution_y = side
    stage.render.resolution_percentage = percentage
    camera = seen(engine, stage).camera
    assert camera.width == camera.height == max(wanted, side * percentage // 100)


def test_a_border_is_a_part_of_the_whole_picture(engine, stage):
    from rome_backend.core.camera import project
    from rome_backend.core.types import Camera

    stage.render.resolution_x, stage.render.resolution_y = 200, 100
    whole = seen(engine, stage).camera
    stage.render.use_border = True
    stage.render.border_min_x, stage.render.border_max_x = 0.25, 0.75
    stage.render.border_min_y, stage.render.border_max_y = 0.1, 0.9
    part = seen(engine, stage).camera
    assert (part.width, part.height) == (100, 80)
    points = np.random.default_rng(0).normal(size=(20, 3)) * 0.2
    own = [project(Camera(*vars(each).values()), points) for each in (whole, part)]
    assert own[0] - own[1] == pytest.approx(np.tile([50, 10, 0], (20, 1)), abs=1e-4)


def test_an_empty_border_is_refused(engine, stage):
    from blender_addon.core_access import RomeError

    stage.render.use_border = True
    stage.render.border_min_x, stage.render.border_max_x = 0.5, 0.501
    with pytest.raises(RomeError) as failed:
        seen(engine, stage)
    assert failed.value.code == "border_empty"


def test_the_cameras_scale_does_not_count(engine, stage):
    plain = seen(engine, stage)
    stage.camera.scale = (3.0, 0.5, 2.0)
    engine.context.view_layer.update()
    scaled = seen(engine, stage)
    assert scaled.world_to_view == pytest.approx(plain.world_to_view, abs=1e-6)
    assert scaled.camera.world_to_clip == pytest.approx(plain.camera.world_to_clip, abs=1e-5)


def test_the_override_wins_over_the_scenes_camera(engine, stage):
    from blender_addon.engine.camera import scene_camera

    other = engine.data.objects.new("Other", engine.data.cameras.new("Other"))
    assert scene_camera(SimpleNamespace(camera_override=other), stage) == other
    assert scene_camera(SimpleNamespace(camera_override=None), stage) == stage.camera


def test_a_light_is_no_camera(engine, stage):
    from blender_addon.core_access import RomeError
    from blender_addon.engine.camera import scene_camera

    stage.camera = engine.data.objects.new("Light", engine.data.lights.new("Light", "POINT"))
    with pytest.raises(RomeError) as failed:
        scene_camera(SimpleNamespace(), stage)
    assert failed.value.code == "camera_missing"
