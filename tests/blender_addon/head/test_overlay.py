# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing the confidence image and the texture again."""

from __future__ import annotations

import pytest

from blender_addon.head.overlay import set_confidence_shown, shows_confidence
from blender_addon.rig.links import linked_part


@pytest.fixture
def tree(built):
    return built.mesh.data.materials[0].node_tree


def _base_colour(tree):
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    links = shader.inputs["Base Color"].links
    return links[0].from_node.image if links else None


def test_it_is_swapped_and_swapped_back(built, tree):
    head = built.mesh
    albedo, confidence = linked_part(head, "albedo"), linked_part(head, "confidence")
    assert not shows_confidence(head)
    set_confidence_shown(head, True)
    assert shows_confidence(head) and _base_colour(tree) == confidence
    set_confidence_shown(head, True)
    assert _base_colour(tree) == confidence
    set_confidence_shown(head, False)
    assert not shows_confidence(head) and _base_colour(tree) == albedo


def test_an_artist_s_own_links_stay(built, tree):
    node = tree.nodes.new("ShaderNodeRGB")
    shader = next(n for n in tree.nodes if n.type == "BSDF_PRINCIPLED")
    tree.links.new(node.outputs[0], shader.inputs["Base Color"])
    set_confidence_shown(built.mesh, True)
    assert shows_confidence(built.mesh)
    assert shader.inputs["Base Color"].links[0].from_node == node


def test_without_our_material_nothing_happens(built):
    built.mesh.data.materials.clear()
    set_confidence_shown(built.mesh, True)
    assert not shows_confidence(built.mesh)
