# SPDX-License-Identifier: Apache-2.0
"""The photo's expression in keys looks like the fitted one. Does not know Blender."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rome_backend.core.landmarks import landmark_points
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import FlameParams, HeadModel
from rome_backend.export.photo_keys import photo_keys
from rome_backend.open_head.build import generate


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return generate()


def params_of(head: HeadModel, jaw: float = 0.0, pitch: float = 0.0, yaw: float = 0.0, **keys):
    expression = np.zeros(len(head.expression_names))
    for name, value in keys.items():
        expression[head.expression_names.index(name)] = value
    eyes = np.tile(np.radians([pitch, yaw, 0.0]), (2, 1))
    shape = np.zeros(head.shape_dirs.shape[2])
    return FlameParams(shape, expression, jaw=np.radians([jaw, 0.0, 0.0]), eyes=eyes)


@pytest.mark.parametrize(
    ("jaw", "pitch", "yaw"), [(0, 0, 0), (22, 0, 0), (11, 0, 0), (0, 25, 0), (8, -10, 12)]
)
def test_keys_look_like_the_fitted_bones(
    head: HeadModel, jaw: float, pitch: float, yaw: float
) -> None:
    fitted = params_of(head, jaw, pitch, yaw, mouthSmileLeft=0.6)
    keyed = params_of(head, **photo_keys(head, fitted))
    assert not keyed.jaw.any() and not keyed.eyes.any()
    first, second = (
        landmark_points(posed_vertices(head, each), head.faces, head.landmarks)
        for each in (fitted, keyed)
    )
    assert np.linalg.norm(first - second, axis=1).max() < 0.0025  # bones turn the smile along


def test_each_eye_looks_to_its_own_side(head: HeadModel) -> None:
    values = photo_keys(head, params_of(head, pitch=-5, yaw=10))
    assert values == pytest.approx(
        {"eyeLookUpLeft": 0.2, "eyeLookOutLeft": 0.4, "eyeLookUpRight": 0.2, "eyeLookInRight": 0.4}
    )


def test_a_fitted_key_and_the_jaw_add_up(head: HeadModel) -> None:
    assert photo_keys(head, params_of(head, jaw=11, jawOpen=0.25)) == pytest.approx(
        {"jawOpen": 0.75}
    )
    assert photo_keys(head, params_of(head, jaw=-3)) == {}


def test_a_head_without_such_keys_has_its_expression_alone(head: HeadModel) -> None:
    names = tuple(f"Exp{k + 1}" for k in range(len(head.expression_names)))
    other = replace(head, expression_names=names)
    fitted = replace(params_of(head, jaw=10, pitch=9), expression=np.eye(len(names))[3])
    assert photo_keys(other, fitted) == {"Exp4": 1.0}
