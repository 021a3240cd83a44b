# SPDX-License-Identifier: Apache-2.0
"""The rig says the same shape as the avatar, in sliders an artist can read.

Does not know Blender or file formats.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.errors import RomeError
from rome_backend.core.rotations import rotation_matrices
from rome_backend.core.skinning import pose_features, posed_vertices, regress_joints, shape_vertices
from rome_backend.core.types import FlameParams
from rome_backend.export.rest_shape import shown_vertices
from rome_backend.export.rig_arrays import rig_arrays


def test_basis_and_stored_values_give_the_avatar_s_neutral_shape(rig, synthetic):
    avatar = synthetic.avatar
    wanted = shape_vertices(synthetic.head, avatar.params.shape) + avatar.offsets
    assert np.abs(shown_vertices(rig) - wanted).max() < 1e-6


def test_the_basis_without_its_offsets_is_the_identity(rig, synthetic):
    wanted = shape_vertices(synthetic.head, synthetic.avatar.params.shape)
    assert np.abs(rig.vertices - rig.offsets - wanted).max() < 1e-6
    assert np.abs(rig.offsets).max() > 1e-3


def test_no_name_of_a_photo_travels_with_the_rig(synthetic):
    facts = {"program": "rome-blender 1", "photos": ["ada.jpg"], "fit": {"scale": 1.0}}
    avatar = replace(synthetic.avatar, provenance=facts)
    found = rig_arrays(synthetic.head, synthetic.basis, avatar).properties
    assert found["provenance"]["program"] == "rome-blender 1"
    assert "ada" not in json.dumps(found["provenance"])


def test_offsets_are_live_in_standard_deviations(rig, synthetic):
    keys = [key for key in rig.keys if key.name.startswith(("Hair", "Neck"))]
    assert [key.name for key in keys] == list(synthetic.basis.names)
    assert all((key.minimum, key.maximum) == (-3.0, 3.0) for key in keys)
    coefficients = synthetic.avatar.offset_coefficients
    assert np.allclose([key.value for key in keys], np.clip(coefficients, -3.0, 3.0))
    assert np.abs(coefficients).max() > 3.0  # the clipped rest is in the Basis, see above
    assert np.array_equal(keys[7].delta, synthetic.basis.dirs[..., 7])


def test_expressions_are_sliders_at_rest(rig, synthetic):
    keys = rig.keys[: len(synthetic.head.expression_names)]
    assert tuple(key.name for key in keys) == synthetic.head.expression_names
    assert all((key.value, key.minimum, key.maximum) == (0.0, 0.0, 1.0) for key in keys)
    assert np.any(synthetic.avatar.params.expression)  # the source's expression is not baked in


def test_components_of_either_sign_have_sliders_both_ways(synthetic):
    names = tuple(f"Exp{n + 1}" for n in range(len(synthetic.head.expression_names)))
    head = replace(synthetic.head, expression_names=names)
    keys = rig_arrays(head, synthetic.basis, synthetic.avatar).keys[: len(names)]
    assert tuple(key.name for key in keys) == names
    assert all((key.value, key.minimum, key.maximum) == (0.0, -3.0, 3.0) for key in keys)


def test_correctives_keep_their_numbers_and_leave_out_what_does_nothing(rig, synthetic):
    keys = [key for key in rig.keys if key.name.startswith("Pose")]
    assert [key.name for key in keys] == [f"Pose{i}" for i in range(1, 19)]  # eyes: all zero
    assert {key.driver[0] for key in keys} == {"neck", "jaw"}
    assert np.array_equal(keys[4].delta, synthetic.head.pose_dirs[..., 4])


def test_keys_and_drivers_reproduce_the_correctives(rig, synthetic):
    """Driven by R - I as named, the keys add what the head model's pose directions add."""
    rng = np.random.default_rng(4)
    turns = rotation_matrices(rng.normal(size=(5, 3)) * 0.5)
    features = pose_features(turns)
    wanted = np.asarray(synthetic.head.pose_dirs, np.float64) @ features
    found = np.zeros_like(wanted)
    for key in rig.keys:
        if key.driver:
            joint, row, column = key.driver
            entry = (turns[rig.joint_names.index(joint)] - np.eye(3))[row, column]
            found += entry * key.delta
    assert np.abs(found - wanted).max() < 1e-9


def test_joints_come_from_the_neutral_identity_without_offsets(rig, synthetic):
    params = synthetic.avatar.params
    neutral = shape_vertices(synthetic.head, params.shape)
    assert np.allclose(rig.joints, regress_joints(synthetic.head, neutral), atol=1e-7)
    posed = posed_vertices(synthetic.head, FlameParams(params.shape, np.zeros(5)))
    assert np.allclose(posed, neutral)


def test_the_origin_lies_below_the_root_at_the_lowest_vertex(rig):
    x, y, z = rig.properties["origin"]
    assert (x, z) == pytest.approx((rig.joints[0, 0], rig.joints[0, 2]), abs=1e-6)
    assert y == pytest.approx(rig.vertices[:, 1].min(), abs=1e-6)


def test_eye_faces_are_exactly_the_eyeballs(rig, synthetic):
    regions = synthetic.head.regions
    eyes = regions["left_eyeball"] | regions["right_eyeball"]
    assert np.array_equal(rig.eye_faces, eyes[rig.faces].any(axis=1))


def test_properties_are_json_and_say_where_the_head_came_from(rig, synthetic):
    facts = json.loads(json.dumps(rig.properties))
    avatar = synthetic.avatar
    assert facts["head_model"] == avatar.head_model and facts["topology_id"] == avatar.topology_id
    assert np.allclose(facts["shape"], avatar.params.shape)
    assert np.allclose(facts["source_expression"], avatar.params.expression)
    assert facts["licences"] == dict(avatar.licences) and facts["warnings"] == ["face_turned"]
    assert facts["version"]


def test_another_head_model_is_refused(synthetic):
    stranger = replace(synthetic.avatar, topology_id="other", head_model="other head")
    with pytest.raises(RomeError) as caught:
        rig_arrays(synthetic.head, synthetic.basis, stranger)
    assert caught.value.code == "topology_mismatch" and "other head" in caught.value.message
