# SPDX-License-Identifier: Apache-2.0
"""Identity sliders of the rig: what they move, and that the joints go along.

Does not know Blender.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.identity_names import (
    IDENTITY_JOINTS,
    JOINTS_PROPERTY,
    identity_label,
    is_identity_key,
)
from rome_backend.core.skinning import regress_joints, shape_vertices
from rome_backend.export.identity_keys import LIMIT, SHOWN_SHAPES, identity_keys, joint_moves
from rome_backend.export.rest_shape import shown_vertices
from rome_backend.export.rig_arrays import rig_arrays
from rome_backend.open_head.build import open_head
from rome_backend.open_head.identity_sliders import identity_sliders


@pytest.fixture(scope="module")
def whole_head():
    """The open head itself: its sliders know its face."""
    return open_head()


def identity(rig):
    return [key for key in rig.keys if is_identity_key(key.name)]


def test_sliders_are_zero_at_the_fitted_face(rig, synthetic):
    keys = identity(rig)
    assert keys and all((key.value, key.driver) == (0.0, None) for key in keys)
    assert all((key.minimum, key.maximum) == (-LIMIT, LIMIT) for key in keys)
    assert all(np.any(key.delta) for key in keys)


def test_a_head_model_without_sliders_of_its_own_shows_its_shape_directions(synthetic):
    keys = identity_keys(synthetic.head)
    assert [key.name for key in keys] == [f"Shape{i}" for i in range(1, 7)]
    assert np.array_equal(keys[2].delta, synthetic.head.shape_dirs[..., 2])
    many = np.zeros((*synthetic.head.template.shape, 300), np.float32)
    assert len(identity_keys(replace(synthetic.head, shape_dirs=many))) == SHOWN_SHAPES


def test_moving_a_slider_is_another_identity_of_the_same_avatar(rig, synthetic):
    """Vertices and joints with sliders moved are those of an avatar made with that shape."""
    values = np.array([1.5, -2.0, 0.5, 0.0, 0.25, -1.0])
    params = synthetic.avatar.params
    other = replace(synthetic.avatar, params=replace(params, shape=params.shape + values))
    wanted = rig_arrays(synthetic.head, synthetic.basis, other)
    moved = dict(zip((key.name for key in identity(rig)), values.tolist(), strict=True))
    keys = tuple(replace(key, value=moved.get(key.name, key.value)) for key in rig.keys)
    found = shown_vertices(replace(rig, keys=keys))
    assert np.abs(found - shown_vertices(wanted)).max() < 1e-6
    joints = np.reshape(rig.properties[JOINTS_PROPERTY], (-1, 3))
    for name, value in moved.items():
        joints = joints + value * np.reshape(rig.properties[IDENTITY_JOINTS][name], (-1, 3))
    assert np.abs(joints - wanted.joints).max() < 1e-6


def test_joint_moves_are_the_regressor_of_the_delta(synthetic):
    keys = identity_keys(synthetic.head)
    neutral = shape_vertices(synthetic.head, np.zeros(6))
    before = regress_joints(synthetic.head, neutral)
    moves = joint_moves(synthetic.head, keys)
    for key in keys:
        after = regress_joints(synthetic.head, neutral + 2.0 * key.delta)
        assert np.allclose(2.0 * np.reshape(moves[key.name], (-1, 3)), after - before, atol=1e-7)


def test_what_the_bones_need_is_json(rig):
    facts = json.loads(json.dumps(rig.properties))
    assert set(facts[IDENTITY_JOINTS]) == {key.name for key in identity(rig)}
    assert len(facts[JOINTS_PROPERTY]) == 3 * len(rig.joint_names)


def test_the_open_head_has_sliders_with_plain_names(whole_head):
    keys = identity_keys(whole_head)
    labels = [identity_label(key.name) for key in keys]
    assert labels == [slider.label for slider in identity_sliders(whole_head)]
    assert {"Jaw Width", "Nose Length", "Eye Distance"} <= set(labels)
    assert len({key.name for key in keys}) == len(keys) >= 20
    assert not {key.name for key in keys} & set(whole_head.expression_names)


def test_the_eyes_joints_follow_the_eyes(whole_head):
    """A slider that moves both eyeballs apart moves their joints by as much."""
    keys = {identity_label(key.name): key for key in identity_keys(whole_head)}
    key = keys["Eye Distance"]
    moved = np.reshape(joint_moves(whole_head, [key])[key.name], (-1, 3))
    for joint, region in ((3, "left_eyeball"), (4, "right_eyeball")):
        ball = key.delta[whole_head.regions[region]].mean(axis=0)
        assert np.allclose(moved[joint], ball, atol=2e-4) and abs(ball[0]) > 5e-4
    assert moved[3, 0] > 0 > moved[4, 0]
