# SPDX-License-Identifier: GPL-3.0-or-later
"""A built head can tell the person's identity from the hair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.core_access import RomeError
from blender_addon.rig.names import OFFSETS
from blender_addon.rig.offsets import bare_points
from blender_addon.rig.signature import key_points
from blender_addon.rig.space import to_object
from blender_addon.rig.update import update_steps
from rome_backend.core.skinning import shape_vertices
from rome_backend.export.rig_arrays import rig_arrays


def _identity(synthetic, avatar, rig):
    bare = shape_vertices(synthetic.head, avatar.params.shape)
    return to_object(bare, rig.properties["origin"])


def test_without_offsets_the_identity_is_left(built, rig, synthetic):
    wanted = _identity(synthetic, synthetic.avatar, rig)
    assert np.abs(bare_points(built.mesh) - wanted).max() < 1e-6
    basis = key_points(built.mesh.data.shape_keys.key_blocks["Basis"])
    assert np.abs(basis - wanted).max() > 1e-3


def test_what_was_sculpted_stays(built):
    before = bare_points(built.mesh)
    basis = built.mesh.data.shape_keys.key_blocks["Basis"]
    points = key_points(basis)
    points[7] += (0.0, 0.01, 0.0)
    basis.data.foreach_set("co", points.astype(np.float32).ravel())
    moved = bare_points(built.mesh) - before
    assert np.allclose(moved[7], (0.0, 0.01, 0.0), atol=1e-6)
    assert not np.delete(moved, 7, axis=0).any()


def test_an_update_brings_the_new_offsets(built, synthetic):
    shape = -np.asarray(synthetic.avatar.params.shape)
    params = replace(synthetic.avatar.params, shape=shape)
    free = 2.0 * synthetic.avatar.free_offsets
    avatar = replace(synthetic.avatar, params=params, free_offsets=free)
    rig = rig_arrays(synthetic.head, synthetic.basis, avatar)
    for _ in update_steps(built.mesh, rig):
        pass
    assert np.abs(bare_points(built.mesh) - _identity(synthetic, avatar, rig)).max() < 1e-6


def test_a_head_that_does_not_say_is_refused(built):
    built.mesh.data.attributes.remove(built.mesh.data.attributes[OFFSETS])
    with pytest.raises(RomeError) as caught:
        bare_points(built.mesh)
    assert caught.value.code == "offsets_unknown" and caught.value.hint
