# SPDX-License-Identifier: GPL-3.0-or-later
"""Showing the confidence image on a head in place of its texture.

Does not know how confidence is measured. Only links between our own image nodes are swapped;
a material that an artist rebuilt keeps its links, and Solid view still shows the image.
"""

from __future__ import annotations

import bpy

from ..rig.links import linked_part


def shows_confidence(head: bpy.types.Object) -> bool:
    """Whether Solid view shows the confidence image on the head's skin."""
    tree = _skin_tree(head)
    shown = getattr(tree.nodes.active, "image", None) if tree else None
    return shown is not None and shown == linked_part(head, "confidence")


def set_confidence_shown(head: bpy.types.Object, shown: bool) -> None:
    """Show the confidence image, or the texture again."""
    tree = _skin_tree(head)
    if tree is None:
        return
    albedo = _node_of(tree, linked_part(head, "albedo"))
    confidence = _node_of(tree, linked_part(head, "confidence"))
    if albedo is None or confidence is None:
        return
    old, new = (albedo, confidence) if shown else (confidence, albedo)
    tree.nodes.active = new
    targets = [link.to_socket for link in old.outputs["Color"].links]
    for target in targets:
        tree.links.new(new.outputs["Color"], target)


def _skin_tree(head: bpy.types.Object) -> bpy.types.NodeTree | None:
    confidence = linked_part(head, "confidence")
    for material in head.data.materials:
        tree = material.node_tree if material is not None else None
        if tree is not None and _node_of(tree, confidence) is not None:
            return tree
    return None


def _node_of(
    tree: bpy.types.NodeTree, image: bpy.types.ID | None
) -> bpy.types.ShaderNodeTexImage | None:
    for node in tree.nodes:
        if image is not None and getattr(node, "image", None) == image:
            return node
    return None
