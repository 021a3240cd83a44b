# SPDX-License-Identifier: Apache-2.0
"""Crops for the networks and DECA's codes as fits, on heads and faces made up for the purpose.

The networks themselves are tried in tests/rome_backend/test_official_path.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from rome_backend.avatar.neural_source import aligned_crop, code_fit
from rome_backend.core.camera import fit_camera, project
from rome_backend.core.errors import PhotoRefused
from rome_backend.core.skinning import posed_vertices
from rome_backend.core.types import HeadCrop, HeadModel
from rome_backend.models.face_regressor import split_face_code
from rome_backend.open_head.mean_face import mean_face

SIDE = 400


@pytest.fixture
def crop() -> HeadCrop:
    """A face of landmarks in the middle of a picture with a bright left half."""
    face = np.asarray(mean_face(), np.float64)
    face = (face - face.mean(0)) / np.ptp(face[:, 0]) * 120
    landmarks = np.stack([200 + face[:, 0], 200 - face[:, 1], -face[:, 2]], -1)
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    rgb[:, : SIDE // 2] = (200, 100, 50)
    valid = np.ones((SIDE, SIDE), bool)
    matte = valid.astype(np.float32)
    return HeadCrop(rgb, matte, valid, np.eye(2, 3), landmarks.astype(np.float32))


@pytest.fixture
def head(small_head: HeadModel) -> HeadModel:
    """The small head with as many components as DECA's code has."""
    count = len(small_head.template)
    return replace(
        small_head,
        shape_dirs=np.zeros((count, 3, 100), np.float32),
        expression_dirs=np.zeros((count, 3, 50), np.float32),
        expression_names=tuple(f"Exp{n + 1}" for n in range(50)),
    )


def code(scale: float, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    numbers = torch.zeros(1, 236)
    numbers[0, 206:209] = torch.tensor([scale, x, y])
    return numbers


@pytest.mark.parametrize("side", [128, 256])
def test_the_crop_is_aligned_on_the_face(crop: HeadCrop, side: int) -> None:
    aligned = aligned_crop(crop, side)
    assert aligned.picture.shape == (3, side, side) and aligned.matte.shape == (1, side, side)
    red = aligned.picture[0]
    middle = side // 2
    assert red[middle, middle // 2] == pytest.approx(200 / 255, abs=0.02)
    assert red[middle, middle + middle // 2] == pytest.approx(0, abs=0.02)
    eyes = aligned.landmarks[36:48].mean(0)
    assert abs(eyes[0]) < 0.1 and eyes[1] < aligned.landmarks[8, 1]
    assert np.abs(aligned.landmarks).max() < 1


def test_a_code_without_turn_is_centred_and_scaled(crop: HeadCrop, head: HeadModel) -> None:
    fit = code_fit(split_face_code(code(5.0)), head, crop)
    assert fit.scale == pytest.approx(5 * SIDE / 2) and np.allclose(fit.rotation, np.eye(3))
    assert np.allclose(fit.translation, SIDE / 2)
    moved = code_fit(split_face_code(code(5.0, 0.02, -0.01)), head, crop)
    before, after = (
        project(fit_camera(each, SIDE, SIDE), posed_vertices(head, each.params))[:, :2]
        for each in (fit, moved)
    )
    assert np.allclose(after - before, [0.02 * 5 * SIDE / 2, 0.01 * 5 * SIDE / 2], atol=1e-3)


def test_turning_leaves_the_root_joint_in_place(crop: HeadCrop, head: HeadModel) -> None:
    turned = code(4.0)
    turned[0, 200:203] = torch.tensor([0.1, 0.5, -0.2])
    first = code_fit(split_face_code(code(4.0)), head, crop)
    second = code_fit(split_face_code(turned), head, crop)
    assert second.yaw != pytest.approx(first.yaw)
    root = (head.joint_regressor[:1] @ head.template).astype(np.float64)
    places = [project(fit_camera(fit, SIDE, SIDE), root)[0, :2] for fit in (first, second)]
    assert np.allclose(places[0], places[1], atol=1e-3)


def test_a_camera_that_sees_nothing_refuses_the_photo(crop: HeadCrop, head: HeadModel) -> None:
    for scale in (0.0, -3.0, float("nan")):
        with pytest.raises(PhotoRefused) as caught:
            code_fit(split_face_code(code(scale)), head, crop)
        assert caught.value.code == "deca_no_face" and "open" in caught.value.hint


def test_other_components_than_decas_are_an_error(crop: HeadCrop, small_head: HeadModel) -> None:
    with pytest.raises(ValueError, match="components"):
        code_fit(split_face_code(code(5.0)), small_head, crop)
