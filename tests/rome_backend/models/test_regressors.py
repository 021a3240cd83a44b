# SPDX-License-Identifier: Apache-2.0
"""The three regressors beyond their parity: slices, linear offsets, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rome_backend.models.camera_regressor import (
    CameraRegressorParams,
    make_camera_regressor,
    split_camera_code,
)
from rome_backend.models.face_regressor import (
    FaceRegressorParams,
    make_face_regressor,
    split_face_code,
)
from rome_backend.models.linear_offsets import (
    LinearOffsetsParams,
    linear_offsets,
    make_linear_offsets_net,
)


def test_face_code_slices_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "deca_crop.npz")
    code = split_face_code(torch.from_numpy(data["code"]))
    assert np.array_equal(code.shape.numpy(), data["code_shape"])
    assert np.array_equal(code.texture.numpy(), data["code_tex"])
    assert np.array_equal(code.expression.numpy(), data["code_exp"])
    assert np.array_equal(code.pose.numpy(), data["code_pose"])
    assert np.array_equal(code.light.numpy(), data["code_light"])
    assert np.array_equal(code.camera.numpy(), data["code"][:, 206:209])


def test_linear_offsets_parity(parity_dir: Path) -> None:
    data = np.load(parity_dir / "offsets.npz")
    basis = torch.from_numpy(data["lin_U"].astype(np.float32))
    found = linear_offsets(
        torch.from_numpy(data["lin_eta"]), basis, torch.from_numpy(data["lin_mean"])
    )
    assert np.abs(found.numpy() - data["lin_offset"]).max() <= 2e-6


def test_camera_code_slices() -> None:
    code = split_camera_code(torch.arange(59.0).view(1, 59))
    assert code.expression[0, -1] == 49 and code.pose[0].tolist() == [50, 51, 52, 53, 54, 55]
    assert code.camera[0].tolist() == [56, 57, 58]


def test_codes_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="236"):
        split_face_code(torch.zeros(1, 235))
    with pytest.raises(RuntimeError, match="59|split"):
        split_camera_code(torch.zeros(1, 60))


def test_a_basis_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        linear_offsets(torch.zeros(1, 60), torch.zeros(12, 60), torch.zeros(5, 3))


def test_another_crop_size_is_refused() -> None:
    with torch.device("meta"), pytest.raises(ValueError, match="224 x 224"):
        make_face_regressor()(torch.zeros(1, 3, 256, 256))


def test_the_outputs_have_the_asked_sizes() -> None:
    with torch.device("meta"):
        picture = torch.zeros(2, 3, 64, 64)
        linear = make_linear_offsets_net(LinearOffsetsParams(7)).eval()
        light = make_camera_regressor(CameraRegressorParams(5)).eval()
        assert linear(picture).shape == (2, 7)
        assert light(picture).shape == (2, 5)
        assert len(light.state_dict()) == 314
        assert len(linear.state_dict()) == 320


@pytest.mark.parametrize(
    "make",
    [
        lambda: LinearOffsetsParams(0),
        lambda: CameraRegressorParams(0),
        lambda: FaceRegressorParams(outputs=0),
    ],
)
def test_params_that_make_no_network_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match="at least"):
        make()  # type: ignore[operator]
