# SPDX-License-Identifier: Apache-2.0
"""Identity keys are told from all others, by names that artists' files hold."""

from __future__ import annotations

import pytest

from rome_backend.core.identity_names import (
    identity_key,
    identity_label,
    is_identity_key,
    shape_key,
)
from rome_backend.open_head.expressions import ARKIT_NAMES


@pytest.mark.parametrize("slider", ["jaw_width", "Jaw Width", "jawWidth", "Jaw-width"])
def test_a_slider_s_name_may_be_spelled_in_any_way(slider: str) -> None:
    assert identity_key(slider) == "IdentityJawWidth"


def test_identity_keys_are_known_and_others_are_not() -> None:
    assert is_identity_key(identity_key("nose tip")) and is_identity_key(shape_key(10))
    others = (*ARKIT_NAMES, "Hair01", "Neck10", "Pose36", "Basis", "Shape", "ShapeOfMine", "shape1")
    assert not [name for name in others if is_identity_key(name)]


@pytest.mark.parametrize(("key", "label"), [
    ("IdentityJawWidth", "Jaw Width"), ("Shape3", "Shape 3"), ("IdentityEyeSize2", "Eye Size 2"),
    ("IdentityAge", "Age"), ("IdentityBMI", "BMI"), ("Identity", "Identity"),
])  # fmt: skip
def test_labels_are_words(key: str, label: str) -> None:
    assert identity_label(key) == label
