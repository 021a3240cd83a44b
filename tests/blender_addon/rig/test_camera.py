# SPDX-License-Identifier: GPL-3.0-or-later
"""The photo's camera in Blender sees every vertex at the pixel where the fit saw it.

Does not know how cameras are fitted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core_access import RomeError
from rome_backend.core.camera import crop_camera, fit_camera, orbit, project, weak_perspective
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.types import Camera, FaceFit, FlameParams


def seen_from(distance):
    turn = rotation_matrices(np.array([0.2, -0.6, 0.3]))
    params = FlameParams(np.zeros(1), np.zeros(1))
    return FaceFit(params, 900.0, turn, np.array([140.0, 470.0]), 0, 0, 0, 0, distance)


def cameras():
    turn = rotation_matrices(np.array([0.2, -0.6, 0.3]))
    weak = weak_perspective(900.0, turn, (140.0, 470.0), 512, 512)
    rolled = np.array([[0.9, -0.3, 12.0], [0.3, 0.9, -7.0]])
    return {
        "weak": weak,
        "wide": weak_perspective(400.0, turn, (300.0, 90.0), 640, 360),
        "tall": weak_perspective(400.0, turn, (100.0, 300.0), 360, 640),
        "crop": crop_camera(weak, rolled, 300, 300),
        "pinhole": fit_camera(seen_from(0.7), 512, 512),
        "pinhole crop": crop_camera(fit_camera(seen_from(1.3), 640, 360), rolled, 200, 400),
        "orbit": orbit((0.01, 0.02, 0.0), 1.0, 35.0, 15.0, 0.4, 256, 256),
    }


@pytest.mark.parametrize("name", cameras())
def test_vertices_fall_on_the_same_pixels(empty_blender, rig, name):
    from bpy_extras.object_utils import world_to_camera_view

    from blender_addon.rig.build import build_head
    from blender_addon.rig.read import evaluated_vertices
    from blender_addon.rig.scene import prepare_scene

    camera = cameras()[name]
    head = build_head(replace(rig, camera=camera))
    prepare_scene(head, camera.width, camera.height)
    empty_blender.context.view_layer.update()
    scene = empty_blender.context.scene
    graph = empty_blender.context.evaluated_depsgraph_get()
    mesh = head.mesh.evaluated_get(graph)
    size = np.array([camera.width, camera.height])
    seen = np.array(
        [
            world_to_camera_view(scene, head.camera, mesh.matrix_world @ v.co)
            for v in mesh.data.vertices
        ]
    )
    pixels = np.stack([seen[:, 0], 1.0 - seen[:, 1]], axis=1) * size
    wanted = project(camera, evaluated_vertices(head.mesh))
    assert np.abs(pixels - wanted[:, :2]).max() < 0.01
    # In front of the camera, and in the same order of depth.
    assert seen[:, 2].min() > head.camera.data.clip_start
    order = np.argsort(wanted[:, 2])
    assert np.all(np.diff(seen[order, 2]) > -1e-5)


def test_the_photo_is_the_background(built, rig):
    data = built.camera.data
    assert data.show_background_images and len(data.background_images) == 1
    photo = data.background_images[0].image
    assert tuple(photo.size) == rig.photo.shape[1::-1] and photo.packed_file is not None


@pytest.mark.parametrize("distance", [np.inf, 0.8])
@pytest.mark.parametrize("flaw", ["blind", "skewed", "oblong", "mirrored"])
def test_matrices_that_are_no_camera_are_refused(flaw, distance):
    pytest.importorskip("bpy")
    from blender_addon.rig.camera import photo_view

    level = replace(seen_from(distance), rotation=np.eye(3))
    clip = np.array(fit_camera(level, 512, 512).world_to_clip)
    if flaw == "blind":
        clip[0] = 0.0
    elif flaw == "skewed":
        clip[0, 1] = 0.5
    elif flaw == "oblong":
        clip[0] *= 1.1
    else:
        clip[0] *= -1.0
    with pytest.raises(RomeError) as caught:
        photo_view(Camera(clip, 512, 512), np.zeros(3))
    assert caught.value.code == "camera_unsupported"
