# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo's View: camera and shape of the photo, and what it leaves alone."""

from __future__ import annotations

import pytest

from blender_addon.rig.links import linked_part


@pytest.fixture
def head(enabled, rig):
    from blender_addon.rig.build import build_head

    built = build_head(rig)
    enabled.context.view_layer.objects.active = built.mesh
    return built.mesh


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 32), (30, 60)])
def test_the_scene_gets_the_camera_and_the_shape_of_the_photo(enabled, head, width, height):
    linked_part(head, "photo").scale(width, height)
    scene = enabled.context.scene
    scene.render.resolution_percentage = 50
    assert enabled.ops.rome.use_photo_view() == {"FINISHED"}
    assert scene.camera == linked_part(head, "camera")
    settings = scene.render
    assert max(settings.resolution_x, settings.resolution_y) == 1024
    assert settings.resolution_x * height == settings.resolution_y * width
    assert settings.resolution_percentage == 100


def test_another_scene_keeps_its_camera(enabled, head):
    other = enabled.data.scenes.new("Other")
    enabled.ops.rome.use_photo_view()
    assert other.camera is None


def test_without_the_photo_the_resolution_stays(enabled, head):
    enabled.data.images.remove(linked_part(head, "photo"))
    settings = enabled.context.scene.render
    settings.resolution_x, settings.resolution_y = 300, 200
    assert enabled.ops.rome.use_photo_view() == {"FINISHED"}
    assert (settings.resolution_x, settings.resolution_y) == (300, 200)


def test_without_the_camera_the_button_says_why(enabled, head):
    enabled.data.objects.remove(linked_part(head, "camera"))
    assert not enabled.ops.rome.use_photo_view.poll()
    with pytest.raises(RuntimeError, match="camera is not in this scene"):
        enabled.ops.rome.use_photo_view()


def test_without_a_head_the_button_says_why(enabled):
    with pytest.raises(RuntimeError, match="Select a head first"):
        enabled.ops.rome.use_photo_view()
