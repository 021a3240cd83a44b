# SPDX-License-Identifier: GPL-3.0-or-later
"""A head in the Asset Browser: with a picture of itself, its licences and tags."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def built(enabled, backend, rig):
    from blender_addon.rig.build import build_head

    return build_head(rig)


def test_the_collection_becomes_an_asset_with_licences_and_tags(enabled, backend, built, rig):
    assert enabled.ops.rome.mark_asset() == {"FINISHED"}
    facts = built.collection.asset_data
    assert facts is not None
    for part, licence in rig.properties["licences"].items():
        assert f"{part}: {licence}" in facts.description
    assert {"ROME", "head"} <= {tag.name for tag in facts.tags}
    kinds = [type(message).__name__ for message in backend.sent]
    assert kinds == ["SetSurface", "RenderFrame"]
    assert backend.sent[1].surface_ids == (backend.sent[0].surface_id,)


def test_the_picture_is_what_the_backend_drew(enabled, built):
    enabled.ops.rome.mark_asset()
    preview = built.collection.preview
    assert tuple(preview.image_size) == (256, 256)
    pixels = np.empty(256 * 256 * 4, np.float32)
    preview.image_pixels_float.foreach_get(pixels)
    assert np.allclose(pixels.reshape(-1, 4)[1000], (0.9, 0.5, 0.2, 1.0), atol=0.01)


def test_the_whole_head_is_in_the_picture_wherever_it_stands(enabled, backend, built):
    """All vertices fall into the picture, with the face towards the viewer."""
    pictures = []
    for place in ((0.0, 0.0, 0.0), (5.0, -3.0, 1.0)):
        built.armature.location = place
        built.armature.rotation_euler = (0.0, 0.0, place[0])
        enabled.context.view_layer.update()
        enabled.ops.rome.mark_asset()
        message = backend.sent[-1]
        points = np.c_[message.vertices[0], np.ones(len(message.vertices[0]))]
        pictures.append(points @ message.world_to_clip.T)
    assert np.abs(pictures[0][:, :3]).max() < 1.0
    assert np.ptp(pictures[0][:, 1]) > 0.8
    assert np.allclose(pictures[0], pictures[1], atol=1e-4)


def test_doing_it_twice_is_the_same(enabled, built):
    enabled.ops.rome.mark_asset()
    tags = [tag.name for tag in built.collection.asset_data.tags]
    enabled.ops.rome.mark_asset()
    assert [tag.name for tag in built.collection.asset_data.tags] == tags


def test_a_hidden_head_is_told(enabled, built):
    built.mesh.hide_set(True)
    with pytest.raises(RuntimeError, match="hidden.*Show it"):
        enabled.ops.rome.mark_asset()
    assert built.collection.asset_data is None


def test_without_a_head_the_button_says_why(enabled, backend):
    with pytest.raises(RuntimeError, match="Select a head first"):
        enabled.ops.rome.mark_asset()


def test_of_two_heads_the_active_one_is_marked(enabled, built, rig):
    from blender_addon.rig.build import build_head

    second = build_head(rig)
    enabled.ops.rome.mark_asset()
    assert second.collection.asset_data is not None and built.collection.asset_data is None
