# SPDX-License-Identifier: Apache-2.0
"""DECA's E_flame: a face crop becomes FLAME parameters, a camera and a light.

Does not know FLAME nor how the crop was cut.

Source: Feng et al. 2021; rome-spec section 1.10.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from rome_backend.models.resnet import FEATURES, ResNet50

_SLICES = (100, 50, 50, 6, 3, 27)


@dataclass(frozen=True)
class FaceRegressorParams:
    """Sizes of E_flame; the defaults are the released ones."""

    hidden: int = 1024
    """Units between features and code."""
    outputs: int = sum(_SLICES)
    """Length of the code."""
    side: int = 224
    """Side in px of the crop, the only size the released network takes."""

    def __post_init__(self) -> None:
        """Raise ValueError on sizes that make no network."""
        if min(self.hidden, self.outputs, self.side) < 1:
            raise ValueError(f"every size must be at least 1: {self}")


@dataclass(frozen=True)
class FaceCode:
    """What E_flame says of N crops.

    shape (N, 100), texture (N, 50), expression (N, 50); pose (N, 6) rad: the head's axis-angle,
    then the jaw's; camera (N, 3): s, tx, ty in the crop's NDC; light (N, 9, 3).
    """

    shape: torch.Tensor
    texture: torch.Tensor
    expression: torch.Tensor
    pose: torch.Tensor
    camera: torch.Tensor
    light: torch.Tensor


def split_face_code(code: torch.Tensor) -> FaceCode:
    """Cut an output (N, 236) into its parts. Raises ValueError on another length."""
    if code.shape[-1] != sum(_SLICES):
        raise ValueError(f"a face code has {sum(_SLICES)} numbers, not {code.shape[-1]}")
    shape, texture, expression, pose, camera, light = code.split(_SLICES, dim=-1)
    return FaceCode(shape, texture, expression, pose, camera, light.unflatten(-1, (9, 3)))


class FaceRegressor(nn.Module):
    """E_flame; made by make_face_regressor."""

    def __init__(self, params: FaceRegressorParams) -> None:
        super().__init__()
        self.encoder = ResNet50(None)
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, params.hidden),
            nn.ReLU(inplace=True),
            nn.Linear(params.hidden, params.outputs),
        )
        self._side = params.side

    def forward(self, crop: torch.Tensor) -> torch.Tensor:
        """Map a crop (N, 3, 224, 224), RGB in [0, 1], to its code (N, 236).

        Raises ValueError on another height or width: the released network averages 7 x 7 cells.
        """
        if crop.shape[-2:] != (self._side, self._side):
            raise ValueError(f"the crop must be {self._side} x {self._side}")
        return self.layers(self.encoder(crop))


def make_face_regressor(params: FaceRegressorParams | None = None) -> FaceRegressor:
    """Return an E_flame with random weights."""
    return FaceRegressor(params or FaceRegressorParams())
