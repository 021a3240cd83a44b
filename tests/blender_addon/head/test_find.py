# SPDX-License-Identifier: GPL-3.0-or-later
"""Which head is meant."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from blender_addon.head.find import active_head, collection_of, heads_of, is_editable, skeleton


@pytest.fixture
def two(empty_blender, built, rig):
    from blender_addon.rig.build import build_head

    return built, build_head(rig)


def _context(bpy, thing):
    return SimpleNamespace(scene=bpy.context.scene, object=thing)


def test_the_parts_of_a_head_mean_it(empty_blender, two):
    for built in two:
        for thing in (built.mesh, built.armature, built.camera):
            assert active_head(_context(empty_blender, thing)) == built.mesh


def test_what_is_parented_to_a_head_means_it(empty_blender, two):
    hat = empty_blender.data.objects.new("hat", None)
    empty_blender.context.scene.collection.objects.link(hat)
    hat.parent = two[1].mesh
    assert active_head(_context(empty_blender, hat)) == two[1].mesh


def test_the_only_head_is_meant_when_something_else_is_active(empty_blender, built, rig):
    lamp = empty_blender.data.objects.new("lamp", None)
    assert active_head(_context(empty_blender, lamp)) == built.mesh
    assert active_head(_context(empty_blender, None)) == built.mesh


def test_of_two_heads_none_is_meant_when_something_else_is_active(empty_blender, two):
    assert active_head(_context(empty_blender, None)) is None


def test_heads_are_listed_by_name(empty_blender, two):
    assert [head.name for head in heads_of(empty_blender.context.scene)] == ["Ada", "Ada.001"]


def test_a_head_without_armature_is_still_a_head(empty_blender, built):
    empty_blender.data.objects.remove(built.armature)
    assert skeleton(built.mesh) is None
    assert active_head(_context(empty_blender, built.mesh)) == built.mesh
    assert collection_of(built.mesh) == built.collection


def test_heads_of_this_file_can_be_changed(built):
    assert is_editable(built.mesh) and collection_of(built.mesh) == built.collection
