# SPDX-License-Identifier: Apache-2.0
"""Tests of the identity sliders: named, symmetric, smooth, rigid where they must be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from rome_backend.core.types import HeadModel
from rome_backend.open_head.build import open_head
from rome_backend.open_head.identity_sliders import IdentitySlider, identity_sliders
from rome_backend.open_head.landmark_sets import INNER_LIP_PAIRS
from rome_backend.open_head.slider_fields import face_places, ramp


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return open_head()


@pytest.fixture(scope="module")
def sliders(head: HeadModel) -> tuple[IdentitySlider, ...]:
    return identity_sliders(head)


def named(sliders: tuple[IdentitySlider, ...], name: str) -> np.ndarray:
    return next(s.displacement for s in sliders if s.name == name)


def test_names_are_unique_and_plain(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    names = [s.name for s in sliders]
    assert len(names) >= 20 and len(set(names)) == len(names)
    wanted = {"SkullWidth", "JawWidth", "NoseLength", "LipsFullness", "EarSize", "Age", "Sex"}
    assert wanted <= set(names) and all(s.label.replace(" ", "") == s.name for s in sliders)
    for slider in sliders:
        assert slider.displacement.shape == head.template.shape
        assert slider.displacement.dtype == np.float32


def test_each_moves_a_head_visibly_but_not_absurdly(sliders: tuple[IdentitySlider, ...]) -> None:
    for slider in sliders:
        largest = np.linalg.norm(slider.displacement, axis=1).max()
        assert 0.0003 < largest < 0.009, slider.name


def test_each_is_mirror_symmetric(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    flipped = head.template * np.float32([-1, 1, 1])
    gap, twin = cKDTree(head.template).query(flipped)
    assert gap.max() < 1e-5
    for slider in sliders:
        image = slider.displacement[twin] * [-1, 1, 1]
        np.testing.assert_allclose(image, slider.displacement, atol=2e-6, err_msg=slider.name)


def test_eyeballs_move_rigidly(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    for slider in sliders:
        for region in ("left_eyeball", "right_eyeball"):
            moves = slider.displacement[head.regions[region]]
            assert np.ptp(moves, axis=0).max() < 1e-7, slider.name


def test_lids_stay_on_the_eyeballs(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    ball = head.regions["left_eyeball"]
    centre = head.joint_regressor[3] @ head.template
    lids = np.array([386, 374, 385, 380, 387, 373])
    before = np.linalg.norm(head.template[lids] - centre, axis=1)
    for slider in sliders:
        move = slider.displacement[ball].mean(axis=0)
        moved = head.template + 2 * slider.displacement
        after = np.linalg.norm(moved[lids] - centre - 2 * move, axis=1)
        assert np.abs(after - before).max() < 4e-4, slider.name


def test_lips_stay_closed(sliders: tuple[IdentitySlider, ...]) -> None:
    pairs = np.array(INNER_LIP_PAIRS)
    for slider in sliders:
        gap = slider.displacement[pairs[:, 0]] - slider.displacement[pairs[:, 1]]
        assert np.abs(gap).max() < 2.5e-4, slider.name


def test_the_lower_border_of_the_neck_stays(
    sliders: tuple[IdentitySlider, ...], head: HeadModel
) -> None:
    bottom = head.template[:, 1] < head.template[:, 1].min() + 0.004
    assert bottom.any()
    for slider in sliders:
        assert np.abs(slider.displacement[bottom]).max() < 1e-6, slider.name


def test_each_is_smooth(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    edges = np.concatenate([head.faces[:, [0, 1]], head.faces[:, [1, 2]]])
    length = np.linalg.norm(head.template[edges[:, 0]] - head.template[edges[:, 1]], axis=1)
    for slider in sliders:
        step = np.linalg.norm(
            slider.displacement[edges[:, 0]] - slider.displacement[edges[:, 1]], axis=1
        )
        assert (step[length > 1e-4] / length[length > 1e-4]).max() < 0.7, slider.name


def test_each_does_what_it_says(sliders: tuple[IdentitySlider, ...], head: HeadModel) -> None:
    template = head.template
    ear = head.regions["ears"] & (template[:, 0] > 0)

    def width(name: str, left: int, right: int) -> float:
        moved = named(sliders, name)
        return float(moved[left, 0] - moved[right, 0])

    assert width("NoseWidth", 358, 129) > 0.002 and width("MouthWidth", 291, 61) > 0.003
    assert width("JawWidth", 397, 172) > 0.004 and width("EyeDistance", 263, 33) > 0.002
    assert named(sliders, "NoseTip")[4, 2] > 0.002 and named(sliders, "ChinLength")[152, 1] < -0.002
    nape = np.argmin(template[:, 2] + (template[:, 1] < 0))
    assert named(sliders, "SkullLength")[nape, 2] < -0.005
    assert named(sliders, "ForeheadHeight")[np.argmax(template[:, 1]), 1] > 0.004
    assert named(sliders, "EarAngle")[ear][:, 0].max() > 0.001
    grown = template + named(sliders, "EarSize")
    assert np.ptp(grown[ear][:, 1]) > 1.04 * np.ptp(template[ear][:, 1])
    lips = named(sliders, "LipsFullness")
    assert lips[0, 1] - lips[17, 1] > 0.0008
    assert named(sliders, "Sex")[397, 0] > 0.001 and named(sliders, "Age")[425, 1] < -0.001


def test_sliders_are_independent(sliders: tuple[IdentitySlider, ...]) -> None:
    flat = np.stack([s.displacement.ravel() for s in sliders if s.name not in ("Age", "Sex")])
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    alike = np.abs(unit @ unit.T - np.eye(len(unit)))
    assert alike.max() < 0.75
    assert np.linalg.svd(unit)[1].min() > 0.1


def test_places_of_a_head_without_some_landmarks_follow_from_the_mean_face(
    head: HeadModel,
) -> None:
    from dataclasses import replace

    table = head.landmarks
    few = np.isin(table.indices, [33, 263, 4, 152, 61, 291, 10, 105, 334, 234, 454])
    cut = replace(
        table,
        indices=table.indices[few],
        faces=table.faces[few],
        barycentric=table.barycentric[few],
    )
    places = face_places(replace(head, landmarks=cut))
    whole = face_places(head)
    gap = np.linalg.norm(places.landmarks[:468] - whole.landmarks[:468], axis=1)
    assert gap[33] < 1e-4 and gap.mean() < 0.003


def test_ramp_has_flat_ends_both_ways() -> None:
    values = np.array([-1.0, 0, 0.5, 1, 2])
    np.testing.assert_allclose(ramp(values, 0, 1), [0, 0, 0.5, 1, 1])
    np.testing.assert_allclose(ramp(values, 1, 0), [1, 1, 0.5, 0, 0])
    assert (ramp(np.array([0.01]), 0, 1) < 1e-4).all()
