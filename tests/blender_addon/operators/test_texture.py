# SPDX-License-Identifier: GPL-3.0-or-later
"""Rebake: the avatar is handed over first, then its texture is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.rig.links import linked_part


@pytest.fixture
def head(enabled, backend, tmp_path):
    enabled.ops.rome.load_avatar(filepath=str(_file(tmp_path, backend.avatar)))
    backend.sent.clear()
    return enabled.context.view_layer.objects.active


def _file(folder, content):
    path = folder / "ada.rome"
    path.write_bytes(content)
    return path


def _mean(image):
    pixels = np.empty(4 * image.size[0] * image.size[1], np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(-1, 4)[:, :3].mean()


def test_the_new_texture_has_the_size_that_was_asked_for(enabled, backend, head):
    settings = enabled.context.window_manager.rome
    settings.texture_size, settings.delight = "2048", True
    side = 2 * backend.rig.albedo.shape[0]
    backend.rig = replace(
        backend.rig,
        albedo=np.full((side, side, 3), 200, np.uint8),
        confidence=np.full((side, side), 10, np.uint8),
    )
    image = linked_part(head, "albedo")
    assert enabled.ops.rome.rebake() == {"FINISHED"}
    kinds = [type(message).__name__ for message in backend.sent]
    assert kinds == ["LoadAvatar", "Rebake"]
    assert (backend.sent[1].size, backend.sent[1].delight) == (2048, True)
    assert backend.sent[1].avatar_id == head.data["rome_avatar_id"]
    assert linked_part(head, "albedo") == image and tuple(image.size) == (side, side)
    assert _mean(image) == pytest.approx(200 / 255, abs=0.01)
    assert _mean(linked_part(head, "confidence")) == pytest.approx(10 / 255, abs=0.01)


def test_without_an_avatar_the_button_says_why(enabled, backend, head):
    del head.data["rome_avatar"]
    with pytest.raises(RuntimeError, match="carries no avatar"):
        enabled.ops.rome.rebake()


def test_without_a_head_the_button_says_why(enabled, backend):
    with pytest.raises(RuntimeError, match="Select a head first"):
        enabled.ops.rome.rebake()


def test_a_failed_bake_changes_nothing(enabled, backend, head):
    before = _mean(linked_part(head, "albedo"))
    backend.failure = ("no_memory", "There is too little memory.", "Choose a smaller texture.")
    with pytest.raises(RuntimeError, match="Choose a smaller texture"):
        enabled.ops.rome.rebake()
    assert _mean(linked_part(head, "albedo")) == before
