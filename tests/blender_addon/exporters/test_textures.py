# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures become files as they are painted, and only copies of materials use the files."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from blender_addon.exporters.duplicate import Copies
from blender_addon.exporters.textures import write_textures


@pytest.fixture
def write(ada, tmp_path):
    """Writes the head's textures as an export named 'my head' would."""
    copies = Copies()
    copy = copies.of(ada.mesh)
    copy.data = copies.of(ada.mesh.data)
    yield lambda: write_textures(copy, copies, tmp_path, "my head", "Ada")
    copies.remove()


def _node(head, material):
    nodes = head.mesh.data.materials[material].node_tree.nodes
    return next(node for node in nodes if node.label == "Albedo")


def test_one_file_for_two_materials_and_none_for_what_is_not_used(write, tmp_path):
    assert [file.name for file in write()] == ["my_head_Albedo.png"]
    assert [file.name for file in tmp_path.iterdir()] == ["my_head_Albedo.png"]


def test_packed_pictures_are_written_byte_for_byte(blender, write):
    (file,) = write()
    assert file.read_bytes() == blender.bpy.data.images["Ada Albedo"].packed_file.data


def test_paint_is_written_and_stays_unsaved(blender, write):
    image = blender.bpy.data.images["Ada Albedo"]
    packed = image.packed_file.data
    painted = np.linspace(0.0, 1.0, 4 * 32 * 32, dtype=np.float32)
    painted[3::4] = 1.0
    image.pixels.foreach_set(painted)
    image.update()
    assert image.is_dirty
    (file,) = write()
    assert image.is_dirty and image.packed_file.data == packed and image.filepath == ""
    read = blender.bpy.data.images.load(str(file))
    found = np.empty_like(painted)
    read.pixels.foreach_get(found)
    assert np.abs(found - painted).max() <= 0.5 / 255 + 1e-6


def test_pictures_of_one_name_do_not_meet(blender, ada, write):
    for number, name in enumerate(("Ada Albedo.png", "Ada/Albedo?"), 1):
        other = blender.bpy.data.images.new(name, 2, 2)
        other.generated_color = (0.1 * number, 0.0, 0.0, 1.0)
        node = ada.mesh.data.materials[0].node_tree.nodes.new("ShaderNodeTexImage")
        node.image = other
        shader = ada.mesh.data.materials[0].node_tree.nodes["Principled BSDF"]
        socket = ("Roughness", "Metallic")[number - 1]
        ada.mesh.data.materials[0].node_tree.links.new(node.outputs[0], shader.inputs[socket])
    names = [file.name for file in write()]
    assert len(names) == len(set(names)) == 3
    assert all(name.startswith("my_head_") and " " not in name for name in names)


def test_the_head_s_own_materials_are_untouched(blender, ada, write):
    before = [_node(ada, 0).image, _node(ada, 1).image]
    write()
    assert [_node(ada, 0).image, _node(ada, 1).image] == before
    assert before[0].packed_file is not None
