# SPDX-License-Identifier: Apache-2.0
"""The Frechet distance (FID) between drawn pictures and real ones, from features of both.

Does not know heads, clips or where the network's weights came from.

Source: Heusel et al. 2017; the distance itself is torchmetrics'. With few pictures it is biased
upwards (it is usually taken of thousands), so it compares methods on the same frames only.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import nn

from rome_backend.core.types import F64

LEAST = 2  # pictures of each kind, for a covariance


def can_measure() -> bool:
    """Return whether torchmetrics is installed."""
    return find_spec("torchmetrics") is not None


class _Given(nn.Module):
    """Stands where torchmetrics has its network: features are computed once for all methods."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the features (N, C) as they are."""
        return features


class Realism:
    """Gathers features of real pictures and of what each method drew.

    Args:
        network: pictures (N, 3, H, W) in [0, 1] to features (N, C).
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._real: list[torch.Tensor] = []
        self._drawn: dict[str, list[torch.Tensor]] = {}

    def real(self, picture: F64) -> None:
        """Take in a real picture (H, W, 3), sRGB 0..255."""
        self._real.append(self._features(picture))

    def drawn(self, name: str, picture: F64) -> None:
        """Take in a picture (H, W, 3) that a method drew, sRGB 0..255."""
        self._drawn.setdefault(name, []).append(self._features(picture))

    def _features(self, picture: F64) -> torch.Tensor:
        values = torch.from_numpy(np.asarray(picture, np.float32) / np.float32(255))
        with torch.no_grad():
            found: torch.Tensor = self._network(values.permute(2, 0, 1)[None])
        return found[0]

    def distances(self) -> dict[str, float]:
        """Return the distance of every method that drew enough pictures, rounded for JSON."""
        if len(self._real) < LEAST:
            return {}
        enough = {name: rows for name, rows in self._drawn.items() if len(rows) >= LEAST}
        return {name: round(self._distance(rows), 4) for name, rows in enough.items()}

    def _distance(self, rows: list[torch.Tensor]) -> float:
        from torchmetrics.image.fid import FrechetInceptionDistance

        found, real = torch.stack(rows).double(), torch.stack(self._real).double()
        measure: Any = FrechetInceptionDistance(feature=_Given(real.shape[1]), normalize=True)
        measure.update(real, real=True)
        measure.update(found, real=False)
        return float(measure.compute())
