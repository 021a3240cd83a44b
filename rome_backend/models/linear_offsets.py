# SPDX-License-Identifier: Apache-2.0
"""The linear offset model: a ResNet-50 predicts 60 coefficients of a basis of offsets.

Does not know the basis' file nor which vertices it moves.

Source: rome-spec section 1.6: 50 coefficients of the hair and 10 of the neck; no normals, no
mask, no tanh.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rome_backend.models.resnet import ResNet50


@dataclass(frozen=True)
class LinearOffsetsParams:
    """Size of the linear model's regressor; the default is the released one."""

    coefficients: int = 60
    """50 of the hair, then 10 of the neck."""

    def __post_init__(self) -> None:
        """Raise ValueError without coefficients."""
        if self.coefficients < 1:
            raise ValueError("there must be at least one coefficient")


def make_linear_offsets_net(params: LinearOffsetsParams | None = None) -> ResNet50:
    """Return the regressor: aligned source (N, 3, 256, 256) RGB in [0, 1] -> (N, 60)."""
    return ResNet50((params or LinearOffsetsParams()).coefficients)


def linear_offsets(
    coefficients: torch.Tensor, basis: torch.Tensor, mean: torch.Tensor
) -> torch.Tensor:
    """Return offsets (N, V, 3) m in head space: basis . coefficients + mean.

    coefficients (N, B); basis (3 V, B), row = 3 vertex + axis; mean (V, 3) m.
    Raises ValueError when the sizes do not fit each other.
    """
    if basis.shape != (mean.numel(), coefficients.shape[-1]):
        raise ValueError(
            f"a basis {tuple(basis.shape)} does not fit {coefficients.shape[-1]} coefficients "
            f"and a mean {tuple(mean.shape)}"
        )
    return (coefficients @ basis.T).view(-1, *mean.shape) + mean
