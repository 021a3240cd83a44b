# SPDX-License-Identifier: Apache-2.0
"""LPIPS on AlexNet: how far two pictures are for a network whose features people's eyes agree with.

Does not know masks, heads or where its weights came from.

Source: Zhang et al. 2018, version 0.1; AlexNet as in torchvision (Krizhevsky 2014).
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import nn

from rome_backend.assets.store import AssetStore
from training.losses.networks import asset_state

ASSETS = ("alexnet", "lpips-alexnet")
# index, input and output channels, kernel, stride, padding; a pooling comes before 3 and 6
_LAYERS = ((0, 3, 64, 11, 4, 2), (3, 64, 192, 5, 1, 2), (6, 192, 384, 3, 1, 1),
           (8, 384, 256, 3, 1, 1), (10, 256, 256, 3, 1, 1))  # fmt: skip
_POOLED = (3, 6)
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class Lpips(nn.Module):
    """The distance; its state is that of the two files, ``features.*`` and ``lin*.model.1.*``."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {str(at): nn.Conv2d(i, o, k, s, p) for at, i, o, k, s, p in _LAYERS}
        )
        for level, (_, _, width, *_) in enumerate(_LAYERS):
            head = nn.Module()
            head.model = nn.ModuleDict({"1": nn.Conv2d(width, 1, 1, bias=False)})
            self.add_module(f"lin{level}", head)
        self.requires_grad_(False).eval()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return the distance (N,) of pictures (N, 3, H, W), RGB in [0, 1], at least 64 px."""
        total = first.new_zeros(len(first))
        for level, (a, b) in enumerate(zip(self._levels(first), self._levels(second), strict=True)):
            apart = (_unit(a) - _unit(b)).square()
            weighted = self.get_submodule(f"lin{level}.model.1")(apart)
            total = total + weighted.mean((1, 2, 3))
        return total

    def _levels(self, picture: torch.Tensor) -> list[torch.Tensor]:
        shift, scale = (picture.new_tensor(v).view(1, 3, 1, 1) for v in (_SHIFT, _SCALE))
        values, found = (2 * picture - 1 - shift) / scale, []
        for at, *_ in _LAYERS:
            if at in _POOLED:
                values = functional.max_pool2d(values, 3, 2)
            values = functional.relu(self.features[str(at)](values))
            found.append(values)
        return found


def _unit(values: torch.Tensor) -> torch.Tensor:
    return values / (values.square().sum(1, keepdim=True).sqrt() + _EPSILON)


def installed_lpips(store: AssetStore) -> Lpips | None:
    """Return the distance with its installed weights, or None where a file is not installed.

    Raises AssetMissing (`asset_damaged`) when a file has changed.
    """
    if not {record.name for record in store.list()} >= set(ASSETS):
        return None
    backbone, heads = (asset_state(name, store) for name in ASSETS)
    network = Lpips()
    network.load_state_dict({**backbone, **heads})
    return network
