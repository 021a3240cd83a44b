# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures tell what an artist sculpted from what was built, and from rounding."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.rig.signature import basis_edit, edited_keys, key_points, signed_keys


def _move(block, amount, vertices):
    points = key_points(block)
    points[vertices] += amount
    block.data.foreach_set("co", points.astype(np.float32).ravel())


@pytest.fixture
def blocks(built):
    return built.mesh.data.shape_keys.key_blocks


def test_as_built_nothing_is_edited(built, rig):
    assert signed_keys(built.mesh) == {key.name for key in rig.keys}
    assert edited_keys(built.mesh) == set()
    assert not basis_edit(built.mesh).any()


def test_one_moved_vertex_is_found(built, blocks):
    """A tenth of a millimetre on a single vertex of a key is an edit of that key alone."""
    _move(blocks["jawOpen"], 1e-4, [17])
    assert edited_keys(built.mesh) == {"jawOpen"}


def test_sculpting_everything_along_with_the_basis_is_no_edit_of_the_keys(built, blocks):
    """Blender moves all keys along when the Basis is sculpted; only the Basis was edited."""
    for block in blocks:
        _move(block, (0.0, 0.003, 0.0), [3, 4, 5])
    assert edited_keys(built.mesh) == set()
    edit = basis_edit(built.mesh)
    assert np.flatnonzero(edit.any(1)).tolist() == [3, 4, 5]
    assert np.allclose(edit[3], (0.0, 0.003, 0.0), atol=1e-6)


def test_keys_of_the_artist_have_no_signature(built):
    built.mesh.shape_key_add(name="scar", from_mix=False)
    assert "scar" not in signed_keys(built.mesh) | edited_keys(built.mesh)


def test_a_removed_key_is_not_called_edited(built, blocks):
    built.mesh.shape_key_remove(blocks["jawOpen"])
    assert edited_keys(built.mesh) == set()


def test_signatures_outlive_saving(empty_blender, built, blocks, tmp_path):
    _move(blocks["jawOpen"], 1e-3, [17])
    path = tmp_path / "signed.blend"
    empty_blender.ops.wm.save_as_mainfile(filepath=str(path))
    empty_blender.ops.wm.open_mainfile(filepath=str(path))
    assert edited_keys(empty_blender.data.objects["Ada"]) == {"jawOpen"}
